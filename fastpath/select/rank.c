#include "rank.h"

#include "target.h"

enum { RANK_EVERY_US = 100000, RATE_WINDOW_US = 1000000 };

static bool live(const fw_core_t *core, const fw_encoding_t *e) { return fw_liveness_is_live(&e->liveness, core->now_us); }

/* Ranks by picture size, or by bit rate where the codec does not signal sizes. */
static bool higher(const fw_encoding_t *a, const fw_encoding_t *b) {
    uint32_t a_pixels = (uint32_t)a->width * a->height;
    uint32_t b_pixels = (uint32_t)b->width * b->height;
    if (a_pixels != 0 && b_pixels != 0) return a_pixels > b_pixels;
    return a->rate_before > b->rate_before + b->rate_before / 4;
}

static int8_t find_best(const fw_core_t *core, const fw_producer_t *p) {
    int8_t best = p->best;
    if (best != FW_ENCODING_NONE && !live(core, p->encodings[best])) best = FW_ENCODING_NONE;
    for (int8_t i = 0; i < (int8_t)p->encoding_count; i++) {
        const fw_encoding_t *e = p->encodings[i];
        if (live(core, e) && (best == FW_ENCODING_NONE || higher(e, p->encodings[best]))) best = i;
    }
    /* None is live: the first to send again becomes the best. */
    return best == FW_ENCODING_NONE ? p->best : best;
}

static uint8_t find_live(const fw_core_t *core, const fw_producer_t *p) {
    uint8_t found = 0;
    for (unsigned i = 0; i < p->encoding_count; i++)
        if (live(core, p->encodings[i])) found |= (uint8_t)(1U << i);
    return found;
}

static void measure(const fw_core_t *core, fw_producer_t *p) {
    if (core->now_us / RATE_WINDOW_US == p->ranked_us / RATE_WINDOW_US) return;
    for (unsigned i = 0; i < p->encoding_count; i++) {
        p->encodings[i]->rate_before = p->encodings[i]->rate_bytes;
        p->encodings[i]->rate_bytes = 0;
    }
}

void fw_rank_update(fw_core_t *core, fw_producer_t *p) {
    bool first = p->best == FW_ENCODING_NONE;
    if (!first && core->now_us - p->ranked_us < RANK_EVERY_US) return;
    measure(core, p);
    p->ranked_us = core->now_us;
    if (p->encoding_count == 1) return;
    int8_t best = find_best(core, p);
    uint8_t alive = find_live(core, p);
    if (best == p->best && alive == p->live) return;
    p->best = best;
    p->live = alive;
    /* A stopped encoding would never answer its keyframe request, and libwebrtc answers each with keyframes of all live encodings. */
    for (uint8_t i = 0; i < p->encoding_count; i++)
        if ((alive >> i & 1) == 0) fw_keyframes_seen(&p->keyframes, i);
    for (uint32_t i = 0; i < p->follower_count; i++) fw_target_aim(core, p->followers[i].consumer);
}
