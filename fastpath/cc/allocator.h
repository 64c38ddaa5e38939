/* When the rungs of a viewer's videos change: the allocation with hysteresis in time.
 *
 * Down: at once where the path suffers, else after 1 s. Up: 1 s after the last change, with 8 % to spare. A lost rung
 * is barred for 1 s for each 400 kbit/s of its cost, up to 6 s; five times as long, and five times again each time, up
 * to 120 s, where it is lost within 15 s of its gain. So of viewers that lose rungs to one bottleneck those with the
 * lower ones regain theirs first, and the highest finds no room. */
#ifndef FW_CC_ALLOCATOR_H
#define FW_CC_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "allocation.h"

/* One for each claim, all zero at first. */
typedef struct {
    uint64_t raised_us;       /* when the current rung was gained */
    uint64_t paused_us;       /* when the claim was paused, 0 where it was not for want of bit rate */
    uint64_t barred_until_us; /* for `barred` and all above it */
    uint32_t bar_us;          /* the length of the last bar, 0 for none */
    int8_t barred;
    int8_t before, cap; /* rung and cap before a run, within that run */
} fw_footing_t;

typedef struct {
    uint64_t estimate_bps;
    uint64_t reserved_bps; /* for sound */
    uint32_t queue_us;
    uint32_t loss_permille;
} fw_carriage_t;

typedef struct {
    uint64_t changed_us; /* the last change of any rung */
    uint64_t short_us;   /* since when the rungs need more than the estimate, 0 while they do not */
    uint64_t needs_bps;  /* what the next wanted step takes with all beside it, for fw_cc_set_needs; 0 for none */
    bool fresh;          /* the next run decides anew: the claims, their order or their caps have changed */
} fw_allocator_t;

/* Decides on the rungs of `count` claims (fw_claim_t.rung; `caps` are the caller's) with their footings; whether one
 * has changed. To be run at least every 100 ms and at each change of the estimate. */
bool fw_allocator_run(fw_allocator_t *a, fw_claim_t *claims, fw_footing_t *footings, unsigned count,
                      const fw_carriage_t *carriage, uint64_t now_us);

#endif
