/* Detects that one encoding of a simulcast has stopped, from its frame interval and the frames of the other encodings.
 *
 * All encodings of a static screen pause together, and resume one after another: an encoding is silent only if the other
 * encodings continue without it.
 */
#ifndef FW_STREAM_LIVENESS_H
#define FW_STREAM_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

/* Bounds of the silence, 4 frame intervals, after which an encoding is not live. */
#define FW_SILENT_LEAST_US 300000
#define FW_SILENT_MOST_US 1000000

/* All zero at the start and after an RTCP BYE. */
typedef struct {
    uint64_t heard_us;    /* arrival of the newest packet; 0: none */
    uint64_t frame_us;    /* arrival of the newest frame's first packet */
    uint64_t interval_us; /* between frames: rises at once, falls by 1/8 of the difference per frame */
    uint32_t timestamp;   /* of the newest frame */
    uint32_t missed;      /* frames of other encodings since heard_us */
} fw_liveness_t;

/* Notes a media packet. Returns true if it starts a new frame. */
bool fw_liveness_note(fw_liveness_t *p, uint32_t timestamp, uint64_t now_us);

/* False before the first packet, and when it has been silent for 4 of its frame intervals (300 ms to 1 s) while the other
 * encodings sent 4 frames. */
bool fw_liveness_is_live(const fw_liveness_t *p, uint64_t now_us);

#endif
