#include "allocation.h"

#define CAMERA_FPS 15

static uint64_t worth(const fw_rung_t *r, bool screen) {
    uint64_t fps_first = screen || r->fps >= CAMERA_FPS ? CAMERA_FPS : r->fps;
    return fps_first << 32 | (uint64_t)r->height << 8 | r->fps;
}

static bool better(const fw_rung_t *a, const fw_rung_t *b, bool screen) {
    uint64_t of_a = worth(a, screen), of_b = worth(b, screen);
    return of_a != of_b ? of_a > of_b : a->cost_bps < b->cost_bps;
}

unsigned fw_rungs_arrange(fw_rung_t *rungs, unsigned count, bool screen) {
    for (unsigned i = 1; i < count; i++) {
        fw_rung_t moved = rungs[i];
        unsigned at = i;
        for (; at > 0 && better(&rungs[at - 1], &moved, screen); at--) rungs[at] = rungs[at - 1];
        rungs[at] = moved;
    }
    unsigned kept = count; /* those kept are at the end of the array */
    for (unsigned i = count; i-- > 0;) {
        if (kept == count || rungs[i].cost_bps < rungs[kept].cost_bps) rungs[--kept] = rungs[i];
    }
    for (unsigned i = kept; i < count; i++) rungs[i - kept] = rungs[i];
    return count - kept;
}

static bool may_step(const fw_claim_t *c) { return c->rung < c->cap && c->rung + 1 < c->count; }

static uint64_t step_bps(const fw_claim_t *c) { return c->rungs[c->rung + 1].cost_bps - fw_claim_cost_bps(c); }

/* Steps up where the budget allows it; whether it did. */
static bool step(fw_claim_t *c, uint64_t *used_bps, uint64_t budget_bps) {
    if (!may_step(c) || *used_bps + step_bps(c) > budget_bps) return false;
    *used_bps += step_bps(c);
    c->rung++;
    return true;
}

/* The end of the stretch of claims that begins at `first` and has one priority. */
static unsigned group_end(const fw_claim_t *claims, unsigned count, unsigned first) {
    unsigned end = first;
    while (end < count && claims[end].priority == claims[first].priority) end++;
    return end;
}

uint64_t fw_allocation_raise(fw_claim_t *claims, unsigned count, uint64_t used_bps, uint64_t budget_bps) {
    for (unsigned i = 0; i < count; i++) {
        if (claims[i].rung == FW_RUNG_PAUSED) step(&claims[i], &used_bps, budget_bps);
    }
    for (unsigned first = 0, end; first < count; first = end) {
        end = group_end(claims, count, first);
        for (bool stepped = true; stepped;) {
            stepped = false;
            for (unsigned i = first; i < end; i++) {
                if (claims[i].rung != FW_RUNG_PAUSED) stepped |= step(&claims[i], &used_bps, budget_bps);
            }
        }
    }
    return used_bps;
}

int fw_allocation_next(const fw_claim_t *claims, unsigned count) {
    int next = -1;
    for (unsigned i = 0; i < count; i++) {
        if (claims[i].rung == FW_RUNG_PAUSED && may_step(&claims[i])) return (int)i;
    }
    for (unsigned first = 0, end; first < count && next < 0; first = end) {
        end = group_end(claims, count, first);
        for (unsigned i = first; i < end; i++) {
            if (may_step(&claims[i]) && (next < 0 || claims[i].rung < claims[next].rung)) next = (int)i;
        }
    }
    return next;
}
