/* Newcomers start at the newest keyframe in the cache, and are sent what followed it faster than it came, until they have
 * caught up: sooner than at a new keyframe, and at no cost to the publisher and the other viewers. */
#ifndef FW_FORWARD_CATCHUP_H
#define FW_FORWARD_CATCHUP_H

#include "state.h"

/* Lets a consumer to which nothing flows yet start from the cache, soon. False where there is nothing to start at. */
bool fw_catchup_request(fw_core_t *core, fw_consumer_t *c);

/* Lets a consumer to which the newest keyframe went out live, and not long ago, start there once more: it lacks something,
 * and the publisher is to be spared. False where that would not help. */
bool fw_catchup_repeat(fw_core_t *core, fw_consumer_t *c);

/* Takes that back, where it was requested: the consumer is leaving, or starts anew. */
void fw_catchup_cancel(fw_core_t *core, fw_consumer_t *c);

/* Whether a packet of the batch goes to a consumer that catches up: one that it has passed, or another keyframe that it
 * can start at, which ends the catching up. It is sent the others from the cache, in their order. */
bool fw_catchup_lets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* When fw_catchup_flush is to be called, UINT64_MAX for never. */
uint64_t fw_catchup_next_us(const fw_core_t *core);

/* When a packet goes out to a consumer that catches up: what came T before the end, T / FW_CATCHUP_SPEED before it. */
static inline uint64_t fw_catchup_due_us(const fw_consumer_t *c, const fw_packet_t *packet) {
    if (packet->arrival_us >= c->caught_up_us) return packet->arrival_us;
    return c->caught_up_us - (c->caught_up_us - packet->arrival_us) / FW_CATCHUP_SPEED;
}

/* Sends what is due, and no more than takes a fraction of a millisecond. The batch must have been forwarded. */
void fw_catchup_flush(fw_core_t *core);

/* Forwards those of the packets [first, last] that are kept and came before the one that the pool numbers `before`. */
void fw_catchup_forward(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last,
                        uint64_t before);

#endif
