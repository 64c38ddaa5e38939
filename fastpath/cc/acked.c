#include "acked.h"

#include <string.h>

static int64_t slot_of(int64_t us) { return us / FW_ACKED_SLOT_US - (us % FW_ACKED_SLOT_US < 0); }

static unsigned place(int64_t slot) {
    int64_t rest = slot % FW_ACKED_SLOTS;
    return (unsigned)(rest < 0 ? rest + FW_ACKED_SLOTS : rest);
}

void fw_acked_add(fw_acked_t *a, int64_t arrival_us, uint32_t bytes) {
    int64_t slot = slot_of(arrival_us), newest = slot_of(a->newest_us);
    if (!a->started || slot - newest >= FW_ACKED_SLOTS) {
        memset(a->slots, 0, sizeof a->slots);
        a->first_us = a->newest_us = arrival_us;
        a->started = true;
        newest = slot;
    }
    if (newest - slot >= FW_ACKED_SLOTS) return;
    while (newest < slot) a->slots[place(++newest)] = 0;
    if (arrival_us > a->newest_us) a->newest_us = arrival_us;
    uint32_t *sum = &a->slots[place(slot)];
    *sum = bytes > UINT32_MAX - *sum ? UINT32_MAX : *sum + bytes;
}

uint32_t fw_acked_bps(const fw_acked_t *a, uint32_t window_us) {
    if (!a->started) return 0;
    int64_t newest = slot_of(a->newest_us), slots = window_us / FW_ACKED_SLOT_US;
    if (slots < 2) slots = 2;
    if (slots > FW_ACKED_SLOTS) slots = FW_ACKED_SLOTS;
    uint64_t bytes = 0;
    for (int64_t slot = newest; slot > newest - slots; slot--) bytes += a->slots[place(slot)];
    int64_t span_us = a->newest_us - (newest - slots + 1) * FW_ACKED_SLOT_US;
    int64_t since_us = a->newest_us - a->first_us;
    if (since_us < span_us) span_us = since_us;
    if (span_us < 2 * FW_ACKED_SLOT_US) span_us = 2 * FW_ACKED_SLOT_US;
    uint64_t bps = bytes * 8000000 / (uint64_t)span_us;
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}
