/* Which rung of each video a viewer gets within a bit rate: a pure function of rungs, costs, priorities and caps.
 *
 * A rung is one (encoding, spatial, temporal) that a consumer can be given. Videos come in order of priority, highest
 * first. Each visible video gets its lowest rung in that order; then those of the highest priority step up in turn as
 * far as the budget goes, then those of the next. O(videos x rungs). */
#ifndef FW_CC_ALLOCATION_H
#define FW_CC_ALLOCATION_H

#include <stdbool.h>
#include <stdint.h>

#define FW_RUNG_PAUSED (-1)
#define FW_RUNGS_MOST 64 /* of one video */

typedef struct {
    uint32_t cost_bps;
    uint16_t height; /* pixels */
    uint8_t fps;
    uint8_t encoding, spatial, temporal;
} fw_rung_t;

typedef struct {
    const fw_rung_t *rungs; /* as fw_rungs_arrange leaves them */
    uint8_t count;          /* of rungs, at most FW_RUNGS_MOST */
    uint8_t priority;
    int8_t cap;  /* the highest rung allowed, by wanted size and visibility; FW_RUNG_PAUSED for none */
    int8_t rung; /* the one that is given, or FW_RUNG_PAUSED */
} fw_claim_t;

/* Orders rungs by what they are worth and drops dominated ones: those that cost as much as a better one. A camera is
 * worth more with 15 fps first, then by size, then with more fps; a screen share by size, then by fps. Returns how many
 * are left; their costs ascend. */
unsigned fw_rungs_arrange(fw_rung_t *rungs, unsigned count, bool screen);

static inline uint64_t fw_claim_cost_bps(const fw_claim_t *c) {
    return c->rung < 0 ? 0 : c->rungs[c->rung].cost_bps;
}

/* Raises the claims from where they are, within their caps, until `budget_bps` is used up. `used_bps` is what they and
 * sound take before; returns what they take then. Lowers nothing. */
uint64_t fw_allocation_raise(fw_claim_t *claims, unsigned count, uint64_t used_bps, uint64_t budget_bps);

/* The step that fw_allocation_raise would take next if the budget allowed: its claim's index, -1 where all are at their
 * caps. */
int fw_allocation_next(const fw_claim_t *claims, unsigned count);

#endif
