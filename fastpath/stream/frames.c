#include "frames.h"

static void complete(fw_frames_t *f, uint64_t now_us) {
    uint64_t gap_us = f->last_us == 0 ? 0 : now_us - f->last_us;
    f->count++;
    f->last_us = now_us;
    if (gap_us > f->longest_us) f->longest_us = gap_us;
    if (gap_us <= FW_FREEZE_US) return;
    f->freezes++;
    f->frozen_us += gap_us;
}

void fw_frames_add(fw_frames_t *f, const fw_cache_t *cache, uint64_t highest_seq64, uint64_t sync_point_seq64, uint64_t now_us) {
    if (sync_point_seq64 > f->next_seq64) f->next_seq64 = sync_point_seq64;
    /* The cache does not cover next_seq64 any more: counting continues at the next keyframe. */
    if (f->next_seq64 == 0 || f->next_seq64 + cache->size <= highest_seq64) return;
    for (; f->next_seq64 <= highest_seq64 && fw_cache_is(cache, f->next_seq64, FW_CACHE_CAME); f->next_seq64++)
        if (fw_cache_is(cache, f->next_seq64, FW_CACHE_ENDS_FRAME)) complete(f, now_us);
}
