#include "histogram.h"

#define SUB_BITS 3
#define SUBS (1u << SUB_BITS) /* buckets of an octave; values below have one each */

static unsigned bucket_of(uint64_t value) {
    if (value < SUBS)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    unsigned bucket = (shift + 1) * SUBS + ((unsigned)(value >> shift) & (SUBS - 1));
    return bucket < FW_HISTOGRAM_BUCKETS ? bucket : FW_HISTOGRAM_BUCKETS - 1;
}

void fw_histogram_add(fw_histogram_t *h, uint64_t value, uint64_t times) {
    h->counts[bucket_of(value)] += times;
    h->sum += value * times;
}

uint64_t fw_histogram_bound(unsigned bucket) {
    if (bucket >= FW_HISTOGRAM_BUCKETS - 1)
        return UINT64_MAX;
    if (bucket < SUBS)
        return bucket;
    unsigned shift = bucket / SUBS - 1;
    return ((uint64_t)(SUBS + bucket % SUBS + 1) << shift) - 1;
}
