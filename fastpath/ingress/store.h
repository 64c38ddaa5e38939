/* Stores a received packet in the cache, notes what it says of its encoding, and adds it to the batch. */
#ifndef FW_INGRESS_STORE_H
#define FW_INGRESS_STORE_H

#include "../state/core.h"

/* Numbers, counts and stores a packet that the publisher has sent, or repeated where `rtx`. The packet is in the pool's next
 * slot, which it keeps unless it is dropped. */
void fw_store_received(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx);

/* Stores a packet whose number is known; one of the history is not added to the batch. */
void fw_store(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool history);

#endif
