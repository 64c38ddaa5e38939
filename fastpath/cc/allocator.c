#include "allocator.h"

#define DOWN_PERCENT 97
#define UP_PERCENT 108
#define RESUME_PERCENT 120
#define FIRST_PERCENT 125 /* of the estimate: up to there the first video stays */
#define SUFFERS_PERCENT 60
#define SUFFERS_QUEUE_US 100000
#define SUFFERS_LOSS_PERMILLE 50
#define DOWN_AFTER_US 1000000
#define UP_AFTER_US 1000000
#define PAUSE_US 5000000
#define LOST_WITHIN_US 15000000
#define BAR_BPS 400000
#define BAR_FIRST_MOST_US 6000000
#define BAR_FACTOR 5
#define BAR_MOST_US 120000000

static uint64_t total_bps(const fw_claim_t *claims, unsigned count, uint64_t reserved_bps) {
    for (unsigned i = 0; i < count; i++) reserved_bps += fw_claim_cost_bps(&claims[i]);
    return reserved_bps;
}

/* The lowest rung is never barred: its loss is a pause. */
static void note_loss(fw_footing_t *f, int8_t lost, uint32_t cost_bps, uint64_t now_us) {
    if (lost == 0) return;
    bool soon = f->raised_us && now_us - f->raised_us < LOST_WITHIN_US;
    uint64_t bar_us = soon && f->bar_us ? (uint64_t)f->bar_us * BAR_FACTOR : (uint64_t)cost_bps * 1000000 / BAR_BPS;
    if (soon && !f->bar_us) bar_us *= BAR_FACTOR;
    uint64_t most_us = soon ? BAR_MOST_US : BAR_FIRST_MOST_US;
    f->bar_us = (uint32_t)(bar_us < most_us ? bar_us : most_us);
    f->barred = lost;
    f->barred_until_us = now_us + f->bar_us;
}

/* Decides from nothing within 97 % of the estimate, not above the present rungs unless `fresh`. */
static void lower(const fw_allocator_t *a, fw_claim_t *claims, unsigned count, const fw_carriage_t *carriage) {
    int first = -1;
    uint64_t budget_bps = carriage->estimate_bps * DOWN_PERCENT / 100;
    for (unsigned i = 0; i < count; i++) {
        fw_claim_t *c = &claims[i];
        if (!a->fresh && c->rung < c->cap) c->cap = c->rung;
        if (first < 0 && c->cap >= 0 && c->count) first = (int)i;
        c->rung = FW_RUNG_PAUSED;
    }
    if (first < 0) return;
    fw_claim_t *c = &claims[first];
    uint64_t least_bps = carriage->reserved_bps + c->rungs[0].cost_bps;
    if (least_bps > budget_bps && least_bps <= carriage->estimate_bps * FIRST_PERCENT / 100) c->rung = 0;
    fw_allocation_raise(claims, count, total_bps(claims, count, carriage->reserved_bps), budget_bps);
}

/* Holds what is barred or was paused less than 5 s ago where it is. */
static void hold_back(fw_claim_t *claims, const fw_footing_t *footings, unsigned count, uint64_t now_us) {
    for (unsigned i = 0; i < count; i++) {
        fw_claim_t *c = &claims[i];
        const fw_footing_t *f = &footings[i];
        int8_t most = c->cap;
        if (now_us < f->barred_until_us && f->barred - 1 < most) most = (int8_t)(f->barred - 1);
        if (c->rung == FW_RUNG_PAUSED && f->paused_us && now_us - f->paused_us < PAUSE_US) most = FW_RUNG_PAUSED;
        c->cap = most < c->rung ? c->rung : most;
    }
}

static bool resumes(const fw_claim_t *c, const fw_footing_t *f) {
    return c->rung == FW_RUNG_PAUSED && f->paused_us && c->cap >= 0;
}

static void raise(fw_claim_t *claims, const fw_footing_t *footings, unsigned count, const fw_carriage_t *carriage) {
    uint64_t used_bps = total_bps(claims, count, carriage->reserved_bps);
    for (unsigned i = 0; i < count; i++) {
        fw_claim_t *c = &claims[i];
        if (!resumes(c, &footings[i])) continue;
        if (used_bps + c->rungs[0].cost_bps > carriage->estimate_bps * 100 / RESUME_PERCENT) return;
        used_bps += c->rungs[0].cost_bps;
        c->rung = 0;
    }
    fw_allocation_raise(claims, count, used_bps, carriage->estimate_bps * 100 / UP_PERCENT);
}

static uint64_t needs_bps(const fw_claim_t *claims, const fw_footing_t *footings, unsigned count,
                          uint64_t reserved_bps) {
    int next = fw_allocation_next(claims, count);
    if (next < 0) return 0;
    const fw_claim_t *c = &claims[next];
    uint64_t bps = total_bps(claims, count, reserved_bps) - fw_claim_cost_bps(c) + c->rungs[c->rung + 1].cost_bps;
    return resumes(c, &footings[next]) ? bps * RESUME_PERCENT / UP_PERCENT : bps;
}

static bool is_short(fw_allocator_t *a, const fw_carriage_t *carriage, uint64_t need_bps, uint64_t now_us) {
    if (need_bps <= carriage->estimate_bps) {
        a->short_us = 0;
        return false;
    }
    if (!a->short_us) a->short_us = now_us;
    return carriage->queue_us > SUFFERS_QUEUE_US || carriage->loss_permille > SUFFERS_LOSS_PERMILLE ||
           carriage->estimate_bps < need_bps * SUFFERS_PERCENT / 100 || now_us - a->short_us >= DOWN_AFTER_US;
}

/* Restores the caps and compares with the rungs before, whose loss for want of bit rate has consequences. */
static bool note_changes(fw_claim_t *claims, fw_footing_t *footings, unsigned count, uint64_t now_us) {
    bool changed = false;
    for (unsigned i = 0; i < count; i++) {
        fw_claim_t *c = &claims[i];
        fw_footing_t *f = &footings[i];
        c->cap = f->cap;
        int8_t had = f->before < c->cap ? f->before : c->cap;
        if (c->rung < had) note_loss(f, had, c->rungs[had].cost_bps, now_us);
        if (c->rung > f->before) f->raised_us = now_us;
        bool wanting = c->rung == FW_RUNG_PAUSED && c->cap >= 0 && c->count;
        if (!wanting) f->paused_us = 0;
        else if (!f->paused_us) f->paused_us = now_us;
        changed |= c->rung != f->before;
    }
    return changed;
}

bool fw_allocator_run(fw_allocator_t *a, fw_claim_t *claims, fw_footing_t *footings, unsigned count,
                      const fw_carriage_t *carriage, uint64_t now_us) {
    for (unsigned i = 0; i < count; i++) {
        footings[i].before = claims[i].rung;
        footings[i].cap = claims[i].cap;
        if (claims[i].rung > claims[i].cap) claims[i].rung = claims[i].cap;
    }
    bool down = is_short(a, carriage, total_bps(claims, count, carriage->reserved_bps), now_us);
    if (a->fresh || down) lower(a, claims, count, carriage);
    hold_back(claims, footings, count, now_us);
    bool settled = !a->changed_us || now_us - a->changed_us >= UP_AFTER_US;
    bool up = settled && !a->fresh && !down && !a->short_us;
    if (up) raise(claims, footings, count, carriage);
    a->needs_bps = needs_bps(claims, footings, count, carriage->reserved_bps);
    bool changed = note_changes(claims, footings, count, now_us);
    if (changed && !a->fresh) a->changed_us = now_us;
    a->fresh = false;
    if (down) a->short_us = 0;
    return changed;
}
