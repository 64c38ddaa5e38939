/* The consumers in fast start, to which egress/fast_start.c sends cached packets.
 *
 * Consumers of one producer are adjacent, and those that begin within 20 ms of each other at one keyframe have one schedule: a
 * cached packet is read for all of them while it is in the processor's cache.
 */
#ifndef FW_SELECT_FAST_START_LIST_H
#define FW_SELECT_FAST_START_LIST_H

#include "../state/core.h"

/* The longest time from the first packet until the live edge. A consumer that would need longer is not started from the cache. */
#define FW_FAST_START_LONGEST_US 2000000

/* Adds a consumer that is sent nothing yet. False where the cache has no keyframe to start at (fw_fast_start_is_near), or the
 * consumer began there before and fell behind. */
bool fw_fast_start_request(fw_core_t *core, fw_consumer_t *c);

/* Restarts a consumer at the newest keyframe, which it was sent live less than FW_KEYFRAME_SPACING_US ago: this saves the publisher
 * a keyframe. False where the consumer has been restarted there before, or the keyframe is too old. */
bool fw_fast_start_repeat(fw_core_t *core, fw_consumer_t *c);

/* Removes a consumer from the list, if it is there. */
void fw_fast_start_cancel(fw_core_t *core, fw_consumer_t *c);

/* Sets the packets a second that a consumer takes of the worker, 0 before it has begun. */
void fw_fast_start_set_demand(fw_core_t *core, fw_consumer_t *c, uint32_t packets_per_s);

/* Whether a packet of the batch is sent to a consumer in fast start as it is: one that precedes its place in the cache, or the start
 * of a keyframe that it can switch to, which ends its fast start. It gets the other packets from the cache, in order. */
bool fw_fast_start_lets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* Deadline of the next fast-start packets; UINT64_MAX where the list is empty, or all in it wait for packets to arrive. */
uint64_t fw_fast_start_next_us(const fw_core_t *core);

/* When a packet is due in fast start: one received T before the end of fast start is sent T / FW_FAST_START_SPEED before it. */
static inline uint64_t fw_fast_start_due_us(const fw_consumer_t *c, const fw_packet_t *packet) {
    if (packet->arrival_us >= c->fast_start_end_us) return packet->arrival_us;
    return c->fast_start_end_us - (c->fast_start_end_us - packet->arrival_us) / FW_FAST_START_SPEED;
}

/* Whether the newest keyframe of an encoding is younger than instant_join_us, fast start from it would take at most
 * FW_FAST_START_LONGEST_US, and its packets will not be overwritten soon. */
bool fw_fast_start_is_near(const fw_core_t *core, const fw_encoding_t *e);

#endif
