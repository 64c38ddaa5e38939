/* Whether one encoding of several still sends: told from its own pace, and from what its sisters send meanwhile.
 *
 * All encodings of a screen that stands still pause together, and their first frames after that come one by one: an
 * encoding is silent only where others go on without it.
 */
#ifndef FW_STREAM_LIVENESS_H
#define FW_STREAM_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

#define FW_SILENT_LEAST_US 300000
#define FW_SILENT_MOST_US 1000000

/* All zero to start with, and after a goodbye. */
typedef struct {
    uint64_t heard_us;    /* arrival of the newest packet, 0 for none */
    uint64_t frame_us;    /* arrival of the newest frame's first packet */
    uint64_t interval_us; /* between frames: takes a longer one at once, shorter ones slowly */
    uint32_t timestamp;   /* of the newest frame */
    uint32_t missed;      /* frames of its sisters since it was heard */
} fw_liveness_t;

/* Takes in a packet with media. Whether a new frame begins with it. */
bool fw_liveness_note(fw_liveness_t *p, uint32_t timestamp, uint64_t now_us);

/* Whether it has been heard, and has not fallen silent for four of its frames while its sisters sent four. */
bool fw_liveness_is_live(const fw_liveness_t *p, uint64_t now_us);

#endif
