/* Fast start: sends a new consumer the cached packets since the newest keyframe, FW_FAST_START_SPEED times as fast as they arrived.
 *
 * A new viewer has its picture sooner than with a new keyframe, at no cost to the publisher and the other viewers. Fast start uses the
 * time that forwarding live packets leaves (base/load.h): a consumer begins where that time suffices for it and for all that began
 * before; else the publisher is asked for a keyframe, and the consumer starts with that if it arrives first.
 */
#ifndef FW_EGRESS_FAST_START_H
#define FW_EGRESS_FAST_START_H

#include "../state/core.h"

/* Sends fast-start packets that are due, for at most an eighth of the duration of the last live flush (250 to 1000 us), which bounds
 * the delay of live packets. A consumer that is still over 100 ms late after FW_FAST_START_LONGEST_US, or that is further behind than
 * when it began, continues at a newer keyframe: a cached one, else the next. */
void fw_fast_start_flush(fw_core_t *core);

#endif
