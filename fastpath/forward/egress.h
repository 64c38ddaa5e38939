/* What goes out as media: the packets of a batch rewritten and protected for each viewer, subscriber by subscriber. */
#ifndef FW_FORWARD_EGRESS_H
#define FW_FORWARD_EGRESS_H

#include "state.h"

/* Sends everything that was queued since the last flush to everyone who wants it. */
void fw_egress_flush(fw_core_t *core);

/* Sends again what the viewer asked for under this 16-bit sequence number: by RTX, else byte for byte. */
void fw_egress_repair(fw_core_t *core, fw_consumer_t *c, uint16_t seq16);

#endif
