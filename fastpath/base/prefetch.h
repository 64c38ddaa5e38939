/* Prefetches memory. With thousands of viewers the state of one is not in the L1 or L2 cache when its turn comes, and each cache miss
 * takes as long as rewriting a packet. */
#ifndef FW_BASE_PREFETCH_H
#define FW_BASE_PREFETCH_H

#include <stddef.h>

#define FW_CACHE_LINE 64

/* `start` may be any address, NULL too where `bytes` is at most one cache line. */
static inline void fw_prefetch(const void *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += FW_CACHE_LINE) __builtin_prefetch((const char *)start + at);
}

#endif
