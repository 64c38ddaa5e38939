#include "history.h"

#include <stdlib.h>
#include <string.h>

#define TIME_SHIFT 6 /* 64 us */
#define TIME_MASK 0xFFFFFu
#define BYTES_BITS 12
#define BYTES_MASK 0xFFFu
#define GROW_WITHIN_US 1000000

static uint32_t *entry_of(fw_history_t *h, uint16_t seq16) { return &h->entries[seq16 & (h->size - 1u)]; }

static uint64_t age_us(uint32_t entry, uint64_t now_us) {
    return ((uint64_t)((now_us >> TIME_SHIFT) - (entry >> BYTES_BITS)) & TIME_MASK) << TIME_SHIFT;
}

bool fw_history_init(fw_history_t *h) {
    *h = (fw_history_t){.size = FW_HISTORY_LEAST};
    h->entries = calloc(h->size, sizeof *h->entries);
    return h->entries != NULL;
}

void fw_history_free(fw_history_t *h) {
    free(h->entries);
    *h = (fw_history_t){0};
}

void fw_history_clear(fw_history_t *h) {
    memset(h->entries, 0, h->size * sizeof *h->entries);
    h->started = false;
}

static void grow(fw_history_t *h) {
    uint32_t *old = h->entries;
    uint16_t old_size = h->size;
    uint32_t *entries = calloc(old_size * 2u, sizeof *entries);
    if (!entries) return;
    h->entries = entries;
    h->size = (uint16_t)(old_size * 2);
    for (uint16_t back = 0; back < old_size; back++) {
        uint16_t seq16 = (uint16_t)(h->newest_seq16 - back);
        *entry_of(h, seq16) = old[seq16 & (old_size - 1u)];
    }
    free(old);
}

void fw_history_put(fw_history_t *h, uint16_t seq16, uint32_t bytes, uint64_t now_us) {
    uint16_t step = (uint16_t)(seq16 - h->newest_seq16);
    if (h->started && (step == 0 || step >= 0x8000)) fw_history_clear(h);
    if (!h->started) {
        h->acked_seq16 = (uint16_t)(seq16 - 1);
        h->newest_seq16 = (uint16_t)(seq16 - 1);
        h->started = true;
        step = 1;
    }
    uint32_t oldest = *entry_of(h, seq16);
    bool in_flight = (uint16_t)(seq16 - h->acked_seq16) > h->size;
    if (oldest && in_flight && h->size < FW_HISTORY_MOST && age_us(oldest, now_us) < GROW_WITHIN_US) grow(h);
    if (step >= h->size) memset(h->entries, 0, h->size * sizeof *h->entries);
    else
        for (uint16_t skipped = 1; skipped < step; skipped++) *entry_of(h, (uint16_t)(seq16 - skipped)) = 0;
    if (bytes > BYTES_MASK) bytes = BYTES_MASK;
    if (!bytes) bytes = 1;
    *entry_of(h, seq16) = (uint32_t)((now_us >> TIME_SHIFT) & TIME_MASK) << BYTES_BITS | bytes;
    h->newest_seq16 = seq16;
}

bool fw_history_take(fw_history_t *h, uint16_t seq16, uint64_t now_us, fw_sent_t *out) {
    if (!fw_history_covers(h, seq16)) return false;
    uint32_t *entry = entry_of(h, seq16);
    if (!*entry) return false;
    uint64_t age = age_us(*entry, now_us);
    out->sent_us = age < now_us ? now_us - age : 0;
    out->bytes = (uint16_t)(*entry & BYTES_MASK);
    out->overdue = (uint16_t)(h->acked_seq16 - seq16) < h->size;
    if (!out->overdue) h->acked_seq16 = seq16;
    *entry = 0;
    return true;
}
