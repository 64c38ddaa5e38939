/* Fast start: consumers begin at the newest keyframe in the cache, and get what followed it faster than it was received.
 *
 * A newcomer has its picture sooner than from a new keyframe, at no cost to the publisher and the other viewers.
 * select/fast_start_list.h decides which consumers do.
 */
#ifndef FW_EGRESS_FAST_START_H
#define FW_EGRESS_FAST_START_H

#include "../state/core.h"

/* Sends the fast-start packets that are due, at most 256. The batch must have been sent before. */
void fw_fast_start_flush(fw_core_t *core);

#endif
