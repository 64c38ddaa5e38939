/* Which consumers are in fast start: the list that egress/fast_start.c sends to.
 */
#ifndef FW_SELECT_FAST_START_LIST_H
#define FW_SELECT_FAST_START_LIST_H

#include "../state/core.h"

/* Lets a consumer to which nothing flows yet start from the cache. False where the cache has no keyframe that is younger than
 * instant_join_us. */
bool fw_fast_start_request(fw_core_t *core, fw_consumer_t *c);

/* Lets a consumer that lacks something start once more at the newest keyframe, which it got live and not long ago: spares the
 * publisher a keyframe. False where that would not help. */
bool fw_fast_start_repeat(fw_core_t *core, fw_consumer_t *c);

/* Takes a consumer out of the list, if it is there. */
void fw_fast_start_cancel(fw_core_t *core, fw_consumer_t *c);

/* Whether a packet of the batch goes to a consumer in fast start: one that it has passed, or a newer keyframe that it can
 * start at, which ends its fast start. It gets the others from the cache, in order. */
bool fw_fast_start_lets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* When the next of them have their turn, UINT64_MAX where none is in fast start or all wait for more packets. */
uint64_t fw_fast_start_next_us(const fw_core_t *core);

/* When a packet is due in fast start: what was received T before its end goes out T / FW_FAST_START_SPEED before it. */
static inline uint64_t fw_fast_start_due_us(const fw_consumer_t *c, const fw_packet_t *packet) {
    if (packet->arrival_us >= c->fast_start_end_us) return packet->arrival_us;
    return c->fast_start_end_us - (c->fast_start_end_us - packet->arrival_us) / FW_FAST_START_SPEED;
}

/* Puts a consumer behind the others, and takes one out. For egress/fast_start.c, which gives each its turn. */
void fw_fast_start_put_last(fw_core_t *core, fw_consumer_t *c);
void fw_fast_start_take_out(fw_core_t *core, fw_consumer_t *c);

/* Whether the newest keyframe of an encoding is young enough to start at, and will be cached for a while yet. */
bool fw_fast_start_is_near(const fw_core_t *core, const fw_encoding_t *e);

#endif
