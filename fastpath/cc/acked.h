/* The rate at which packets arrive at the receiver, by its own clock: bytes in slots of 20 ms over the last 500 ms. */
#ifndef FW_CC_ACKED_H
#define FW_CC_ACKED_H

#include <stdbool.h>
#include <stdint.h>

#define FW_ACKED_SLOT_US 20000
#define FW_ACKED_SLOTS 25

typedef struct {
    int64_t newest_us; /* the latest arrival */
    int64_t first_us;  /* the first arrival since all slots were empty */
    uint32_t slots[FW_ACKED_SLOTS]; /* bytes, by arrival time divided by FW_ACKED_SLOT_US, modulo FW_ACKED_SLOTS */
    bool started;
} fw_acked_t;

/* Counts a packet. Arrivals older than 500 ms before the latest are ignored. All zero to start with. */
void fw_acked_add(fw_acked_t *a, int64_t arrival_us, uint32_t bytes);

/* The mean rate over the last `window_us` (40 to 500 ms) before the latest arrival, or over the time since the first
 * one where that is shorter, but at least 40 ms; in bit/s, 0 before the first arrival. */
uint32_t fw_acked_bps(const fw_acked_t *a, uint32_t window_us);

#endif
