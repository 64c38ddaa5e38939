/* Bytes of the last second, in slots of 50 ms: a rate, or how much of a budget was spent. */
#ifndef FW_STREAM_BYTE_WINDOW_H
#define FW_STREAM_BYTE_WINDOW_H

#include <stdint.h>

#define FW_BYTE_SLOT_US 50000
#define FW_BYTE_SLOTS 20

/* All zero to start with. */
typedef struct {
    uint64_t slot; /* time of the newest slot divided by FW_BYTE_SLOT_US */
    uint32_t slots[FW_BYTE_SLOTS];
    uint32_t total;
} fw_byte_window_t;

/* Bytes added in the last second before `now_us`, which never goes back; the current slot included. */
static inline uint32_t fw_byte_window_sum(fw_byte_window_t *w, uint64_t now_us) {
    uint64_t slot = now_us / FW_BYTE_SLOT_US;
    if (slot >= w->slot + FW_BYTE_SLOTS) {
        *w = (fw_byte_window_t){.slot = slot};
        return 0;
    }
    while (w->slot < slot) {
        uint32_t *oldest = &w->slots[++w->slot % FW_BYTE_SLOTS];
        w->total -= *oldest;
        *oldest = 0;
    }
    return w->total;
}

/* Adds bytes. The total is at most 2^32 - 1. */
static inline void fw_byte_window_add(fw_byte_window_t *w, uint64_t now_us, uint32_t bytes) {
    if (bytes > UINT32_MAX - fw_byte_window_sum(w, now_us)) bytes = UINT32_MAX - w->total;
    w->slots[w->slot % FW_BYTE_SLOTS] += bytes;
    w->total += bytes;
}

#endif
