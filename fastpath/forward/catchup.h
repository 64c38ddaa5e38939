/* Newcomers start at a keyframe of the last second, from the cache: sooner than at a new one, and at no cost to the
 * publisher and the other viewers. */
#ifndef FW_FORWARD_CATCHUP_H
#define FW_FORWARD_CATCHUP_H

#include "state.h"

/* A packet this far behind the newest is too old to start at. */
#define FW_CATCHUP_PACKETS 400

/* Lets a consumer to which nothing flows yet start from the cache, with the next flush. False where there is nothing to
 * start at. */
bool fw_catchup_request(fw_core_t *core, fw_consumer_t *c);

/* Takes that back: the consumer is leaving. */
void fw_catchup_cancel(fw_core_t *core, fw_consumer_t *c);

/* Sends what was requested. */
void fw_catchup_flush(fw_core_t *core);

/* Forwards those of the packets [first, last] that are kept and came before the one that the pool numbers `before`. */
void fw_catchup_forward(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last,
                        uint64_t before);

#endif
