/* Finds the last packets of one encoding by sequence number, for retransmissions to its consumers and for the fast start of
 * new consumers. Records for each of these numbers whether its packet was received and whether it ends a frame.
 *
 * An entry is the number of a packet in the pool. The pool may have reused that packet's slot since, and detects it. The
 * cache starts with FW_CACHE_LEAST entries; its owner grows it while it would lose packets that are still needed, up to
 * the size of the pool. */
#ifndef FW_STREAM_CACHE_H
#define FW_STREAM_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define FW_CACHE_LEAST 256 /* entries at the start */
#define FW_CACHE_NONE (UINT64_MAX >> 2)

typedef struct {
    uint64_t *entries; /* by number modulo size: the pool's number * 4, | CAME, | ENDS_FRAME */
    uint64_t size;     /* a power of two */
} fw_cache_t;

enum { FW_CACHE_CAME = 1, FW_CACHE_ENDS_FRAME = 2 };

/* Returns false if memory is short. */
bool fw_cache_init(fw_cache_t *c);
void fw_cache_free(fw_cache_t *c);

/* Doubles the size and keeps all entries. Changes nothing if memory is short. */
void fw_cache_grow(fw_cache_t *c, uint64_t highest_seq64);

/* Marks `seq64` as received. It becomes the highest number; the numbers between it and `highest_seq64`, the highest
 * before, are marked as not received. */
void fw_cache_advance(fw_cache_t *c, uint64_t highest_seq64, uint64_t seq64);

/* Starts another stream: marks every number as not received. Packets are found as before. */
void fw_cache_restart(fw_cache_t *c);

static inline uint64_t *fw_cache_entry(const fw_cache_t *c, uint64_t seq64) { return &c->entries[seq64 & (c->size - 1)]; }

/* Sets the pool's number of a received packet; FW_CACHE_NONE if the packet is not kept. */
static inline void fw_cache_put(fw_cache_t *c, uint64_t seq64, uint64_t number) {
    uint64_t *entry = fw_cache_entry(c, seq64);
    *entry = number << 2 | (*entry & 3);
}

/* The pool's number of the packet last put into the entry of `seq64`, or FW_CACHE_NONE. Numbers share entries, so the
 * caller compares the packet's seq64. */
static inline uint64_t fw_cache_get(const fw_cache_t *c, uint64_t seq64) { return *fw_cache_entry(c, seq64) >> 2; }

/* Read and set a flag, FW_CACHE_CAME or FW_CACHE_ENDS_FRAME, of a number less than `size` below the highest. */
static inline bool fw_cache_is(const fw_cache_t *c, uint64_t seq64, uint64_t flag) {
    return (*fw_cache_entry(c, seq64) & flag) != 0;
}
static inline void fw_cache_mark(fw_cache_t *c, uint64_t seq64, uint64_t flag) { *fw_cache_entry(c, seq64) |= flag; }

/* Packets less than this number of sequence numbers behind the newest stay in the cache until a whole fast start is sent:
 * 7/8 of the size. */
static inline uint64_t fw_cache_reach(const fw_cache_t *c) { return c->size / 8 * 7; }

#endif
