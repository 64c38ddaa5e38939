/* Receives packets in the clear: from a producer's home worker, or from a source in this process. */
#ifndef FW_INGRESS_RELAYED_H
#define FW_INGRESS_RELAYED_H

#include "../state/core.h"

/* A packet that another worker has relayed. One of the history is cached for newcomers and sent to nobody now. */
void fw_ingress_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *data, size_t len, bool history);

/* An RTP packet of a source in this process. FW_REFUSED where the producer is not fed by this process. */
fw_error_t fw_ingress_feed(fw_core_t *core, fw_producer_t *p, const uint8_t *data, size_t len);

#endif
