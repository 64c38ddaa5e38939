/* When a decoder gets whole frames: what a viewer sees of a stream, told from sequence numbers and markers alone.
 *
 * A decoder starts at a keyframe and stalls at the first number that is missing, until that is repaired or another
 * keyframe comes. A picture that stands still for longer than FW_FREEZE_US counts as frozen once it moves again.
 */
#ifndef FW_STREAM_FRAMES_H
#define FW_STREAM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"

#define FW_FREEZE_US 500000

typedef struct {
    uint64_t next_seq64; /* all before it, since the keyframe, has been had; 0 before the first keyframe */
    uint64_t last_us;    /* when the last frame was whole, 0 for none */
    uint64_t count;      /* whole frames */
    uint64_t frozen_us;  /* all freezes together */
    uint64_t longest_us; /* between two frames */
    uint32_t freezes;
} fw_frames_t;

/* Takes a packet in whose arrival, and whether it ends a frame, the cache knows, as it does of those before it up to
 * `highest_seq64`; `sync_point_seq64` is where the newest keyframe begins, 0 for none. Constant time, averaged over packets. */
void fw_frames_add(fw_frames_t *f, const fw_cache_t *cache, uint64_t highest_seq64, uint64_t sync_point_seq64, uint64_t now_us);

#endif
