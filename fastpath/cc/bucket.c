#include "bucket.h"

#define MOST_US 10000000 /* of time that is counted, so that products stay within 64 bits */

void fw_bucket_fill(fw_bucket_t *b, uint32_t rate_bps, uint32_t depth_us, uint64_t now_us) {
    if (now_us <= b->filled_us) return;
    uint64_t passed_us = now_us - b->filled_us;
    int64_t depth = (int64_t)rate_bps * depth_us;
    b->tokens += (int64_t)rate_bps * (int64_t)(passed_us < MOST_US ? passed_us : MOST_US);
    if (b->tokens > depth) b->tokens = depth;
    b->filled_us = now_us;
}

uint64_t fw_bucket_open_us(const fw_bucket_t *b, uint32_t rate_bps) {
    if (fw_bucket_open(b)) return b->filled_us;
    if (!rate_bps) return UINT64_MAX;
    return b->filled_us + (uint64_t)-b->tokens / rate_bps + 1;
}
