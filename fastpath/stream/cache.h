/* The last packets of one encoding, found by sequence number: what its consumers' retransmissions come from, and what
 * newcomers start with. And what is known of the last numbers: which have come, and which end a frame.
 *
 * It names packets of the pool, and holds none: the pool may have used a slot again since, and says so. It begins small;
 * its owner lets it grow while it would forget what is still needed, so that its bound is the pool's. */
#ifndef FW_STREAM_CACHE_H
#define FW_STREAM_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define FW_CACHE_LEAST 256 /* numbers that it begins with */
#define FW_CACHE_NONE (UINT64_MAX >> 2)

typedef struct {
    uint64_t *entries; /* by number modulo size: the pool's number * 4, | CAME, | ENDS_FRAME */
    uint64_t size;     /* a power of two */
} fw_cache_t;

enum { FW_CACHE_CAME = 1, FW_CACHE_ENDS_FRAME = 2 };

/* False where memory is short. */
bool fw_cache_init(fw_cache_t *c);
void fw_cache_free(fw_cache_t *c);

/* Twice the size, where there is memory for that; what is known of the numbers up to the highest stays. */
void fw_cache_grow(fw_cache_t *c, uint64_t highest_seq64);

/* `seq64` has come, and is the highest now: those between it and the one before have not. */
void fw_cache_advance(fw_cache_t *c, uint64_t highest_seq64, uint64_t seq64);

/* The numbers that are to come belong to another stream: none of them has. Packets are found as before. */
void fw_cache_restart(fw_cache_t *c);

static inline uint64_t *fw_cache_entry(const fw_cache_t *c, uint64_t seq64) { return &c->entries[seq64 & (c->size - 1)]; }

/* The pool's number of a packet that has come, FW_CACHE_NONE where there is nothing to keep. */
static inline void fw_cache_put(fw_cache_t *c, uint64_t seq64, uint64_t number) {
    uint64_t *entry = fw_cache_entry(c, seq64);
    *entry = number << 2 | (*entry & 3);
}

/* The pool's number of the packet last put where `seq64` goes, or FW_CACHE_NONE; the caller compares its seq64. */
static inline uint64_t fw_cache_get(const fw_cache_t *c, uint64_t seq64) { return *fw_cache_entry(c, seq64) >> 2; }

/* Of a number less than `size` below the highest: FW_CACHE_CAME, FW_CACHE_ENDS_FRAME. */
static inline bool fw_cache_is(const fw_cache_t *c, uint64_t seq64, uint64_t what) {
    return (*fw_cache_entry(c, seq64) & what) != 0;
}
static inline void fw_cache_mark(fw_cache_t *c, uint64_t seq64, uint64_t what) { *fw_cache_entry(c, seq64) |= what; }

/* So far behind the newest a packet may be to be kept a while yet, until those after it have been sent. */
static inline uint64_t fw_cache_reach(const fw_cache_t *c) { return c->size / 8 * 7; }

#endif
