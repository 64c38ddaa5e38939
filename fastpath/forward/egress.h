/* What goes out as media: the packets of a batch rewritten and protected for each viewer, subscriber by subscriber. */
#ifndef FW_FORWARD_EGRESS_H
#define FW_FORWARD_EGRESS_H

#include "state.h"

/* Sends everything that was queued since the last flush to everyone who wants it. */
void fw_egress_flush(fw_core_t *core);

/* Lets a consumer to which nothing flows yet start at one of the last second, from the cache, with the next flush; that
 * is sooner than a new one and costs the publisher and the other viewers nothing. False where there is none. */
bool fw_egress_catch_up(fw_core_t *core, fw_consumer_t *c);

/* Takes back fw_egress_catch_up: the consumer is leaving. */
void fw_egress_forget(fw_core_t *core, fw_consumer_t *c);

/* Sends again what the viewer asked for under this 16-bit sequence number: by RTX, else byte for byte. */
void fw_egress_repair(fw_core_t *core, fw_consumer_t *c, uint16_t seq16);

#endif
