/* Receives unencrypted packets from a producer's home worker, or from a source in this process. */
#ifndef FW_INGRESS_RELAYED_H
#define FW_INGRESS_RELAYED_H

#include "../state/core.h"

/* Receives a packet that the producer's home worker has relayed. A `history` packet is cached for later consumers and not forwarded
 * now. Counts drop_relay_stale for an unknown producer, encoding or payload type, drop_duplicate for a duplicate or one older than
 * the cache. */
void fw_ingress_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *data, size_t len, bool history);

/* Receives an RTP packet of a source in this process. FW_REFUSED where the producer is a copy of another worker's, or `len` is under
 * 12. */
fw_error_t fw_ingress_feed(fw_core_t *core, fw_producer_t *p, const uint8_t *data, size_t len);

#endif
