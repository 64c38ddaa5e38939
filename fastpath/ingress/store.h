/* Stores a received packet in the cache, updates the state of its encoding, and adds it to the batch. */
#ifndef FW_INGRESS_STORE_H
#define FW_INGRESS_STORE_H

#include "../state/core.h"

/* Numbers, counts and stores a packet of the publisher; `rtx` is true for a retransmission. The packet is in the pool's next slot and
 * keeps that slot unless it is dropped. */
void fw_store_received(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx);

/* Stores a packet whose seq64 is set. A `history` packet is not added to the batch. Counts drop_malformed_payload where the payload
 * does not parse. */
void fw_store(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool history);

#endif
