/* A token bucket: tokens arrive at a constant rate, up to a burst, and each event takes some. */
#ifndef FW_BASE_TOKEN_BUCKET_H
#define FW_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* All zero to start with: a full bucket. */
typedef struct {
    uint64_t missing; /* micro-tokens below the burst */
    uint64_t at_us;   /* time of `missing` */
} fw_token_bucket_t;

/* Adds the tokens that have arrived since the last call. Takes `cost` tokens where the bucket holds so many, else none and returns
 * false. `rate` is in tokens a second, `burst` in tokens, both at most 2^32 - 1. */
static inline bool fw_token_bucket_take(fw_token_bucket_t *b, uint32_t rate, uint32_t burst, uint32_t cost, uint64_t now_us) {
    uint64_t full = (uint64_t)burst * 1000000, wanted = (uint64_t)cost * 1000000;
    uint64_t elapsed_us = now_us - b->at_us;
    b->at_us = now_us;
    b->missing = rate != 0 && elapsed_us >= b->missing / rate + 1 ? 0 : b->missing - elapsed_us * rate;
    if (wanted > full || b->missing > full - wanted) return false;
    b->missing += wanted;
    return true;
}

#endif
