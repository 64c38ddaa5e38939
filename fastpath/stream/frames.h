/* Counts the frames that a decoder completes, and its freezes, from sequence numbers and markers only.
 *
 * A decoder starts at a keyframe and stalls at the first missing number until its packet or another keyframe arrives. A gap
 * of more than FW_FREEZE_US between two complete frames is a freeze, and is counted when the second is complete.
 */
#ifndef FW_STREAM_FRAMES_H
#define FW_STREAM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"

#define FW_FREEZE_US 500000

typedef struct {
    uint64_t next_seq64; /* the first number since the keyframe that is missing; 0 before the first keyframe */
    uint64_t last_us;    /* completion of the last frame; 0: none */
    uint64_t count;      /* complete frames */
    uint64_t frozen_us;  /* sum of all freezes */
    uint64_t longest_us; /* longest gap between two complete frames */
    uint32_t freezes;
} fw_frames_t;

/* Call for each packet, after `cache` has its flags. `highest_seq64` is the cache's highest number, `sync_point_seq64` the first
 * packet of the newest keyframe (0: none). Takes amortised constant time. */
void fw_frames_add(fw_frames_t *f, const fw_cache_t *cache, uint64_t highest_seq64, uint64_t sync_point_seq64, uint64_t now_us);

#endif
