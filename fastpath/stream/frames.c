#include "frames.h"

static bool bit(const uint64_t *bits, uint64_t seq64) {
    return (bits[seq64 / 64 % (FW_CACHE_PACKETS / 64)] >> (seq64 % 64) & 1) != 0;
}

static void set_bit(uint64_t *bits, uint64_t seq64, bool value) {
    uint64_t mask = UINT64_C(1) << (seq64 % 64);
    uint64_t *word = &bits[seq64 / 64 % (FW_CACHE_PACKETS / 64)];
    *word = value ? *word | mask : *word & ~mask;
}

static void complete(fw_frames_t *f, uint64_t now_us) {
    uint64_t gap_us = f->last_us == 0 ? 0 : now_us - f->last_us;
    f->count++;
    f->last_us = now_us;
    if (gap_us > f->longest_us) f->longest_us = gap_us;
    if (gap_us <= FW_FREEZE_US) return;
    f->freezes++;
    f->frozen_us += gap_us;
}

void fw_frames_add(fw_frames_t *f, const uint64_t *seen, uint64_t highest_seq64, uint64_t entry_seq64, uint64_t seq64,
                   bool ends_frame, uint64_t now_us) {
    set_bit(f->ends, seq64, ends_frame);
    if (entry_seq64 > f->next_seq64) f->next_seq64 = entry_seq64;
    /* Below the window nobody knows what has come: only a keyframe helps. */
    if (f->next_seq64 == 0 || f->next_seq64 + FW_CACHE_PACKETS <= highest_seq64) return;
    for (; f->next_seq64 <= highest_seq64 && bit(seen, f->next_seq64); f->next_seq64++)
        if (bit(f->ends, f->next_seq64)) complete(f, now_us);
}
