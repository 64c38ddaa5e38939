/* A token bucket: holds what passes to a rate, with bursts of a stated depth. */
#ifndef FW_CC_BUCKET_H
#define FW_CC_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* All zero is an empty bucket at time 0. */
typedef struct {
    uint64_t filled_us; /* when `tokens` was right */
    int64_t tokens;     /* millionths of a bit; below zero while what passed is being paid back */
} fw_bucket_t;

/* Fills the bucket for the time since it was last filled, at `rate_bps`, up to `depth_us` of that rate. */
void fw_bucket_fill(fw_bucket_t *b, uint32_t rate_bps, uint32_t depth_us, uint64_t now_us);

/* Whether a packet may pass: the bucket is not in debt. A packet larger than the depth passes too and is paid back. */
static inline bool fw_bucket_open(const fw_bucket_t *b) { return b->tokens > 0; }

static inline void fw_bucket_spend(fw_bucket_t *b, uint32_t bytes) { b->tokens -= (int64_t)bytes * 8000000; }

/* When the bucket is open again at `rate_bps`, UINT64_MAX for never. */
uint64_t fw_bucket_open_us(const fw_bucket_t *b, uint32_t rate_bps);

#endif
