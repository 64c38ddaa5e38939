/* Asks for memory that is needed soon. With thousands of viewers nothing that belongs to one is in a near cache when its
 * turn comes: each line that is waited for costs as much as a packet's rewriting. */
#ifndef FW_BASE_PREFETCH_H
#define FW_BASE_PREFETCH_H

#include <stddef.h>

#define FW_CACHE_LINE 64

/* `start` may be stale, and NULL where it is one line that is asked for. */
static inline void fw_prefetch(const void *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += FW_CACHE_LINE) __builtin_prefetch((const char *)start + at);
}

#endif
