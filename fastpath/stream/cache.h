/* The last packets of one encoding, found by sequence number: what retransmissions to all its consumers come from. */
#ifndef FW_STREAM_CACHE_H
#define FW_STREAM_CACHE_H

#include <stdint.h>
#include <string.h>

#define FW_CACHE_PACKETS 1024 /* a power of two: two seconds and more at 5 Mbit/s */
#define FW_CACHE_NONE UINT64_MAX

/* Holds names of packets in the pool, not packets: the pool may have used a slot again since, and says so. */
typedef struct {
    uint64_t numbers[FW_CACHE_PACKETS];
} fw_cache_t;

static inline void fw_cache_init(fw_cache_t *c) { memset(c->numbers, 0xff, sizeof c->numbers); }

static inline void fw_cache_put(fw_cache_t *c, uint64_t seq64, uint64_t number) {
    c->numbers[seq64 % FW_CACHE_PACKETS] = number;
}

/* The pool's number of the packet last put where `seq64` goes, or FW_CACHE_NONE; the caller compares its seq64. */
static inline uint64_t fw_cache_get(const fw_cache_t *c, uint64_t seq64) {
    return c->numbers[seq64 % FW_CACHE_PACKETS];
}

#endif
