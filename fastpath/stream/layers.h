/* Decides which layers of an encoding a consumer receives: temporal and spatial layers within one SSRC. */
#ifndef FW_STREAM_LAYERS_H
#define FW_STREAM_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_LAYERS_ALL 7 /* the highest layer number */

typedef struct {
    uint16_t pictures; /* picture ids removed so far */
    uint8_t spatial;   /* highest layer forwarded; the only one if spatial layers are independent */
    uint8_t temporal;
} fw_layers_t;

/* True if the frame belongs to `layers`. */
static inline bool fw_layers_hold(fw_layers_t layers, const fw_frame_t *frame) {
    if (!frame->has_layers) return true;
    bool spatial = frame->independent_layers ? frame->spatial == layers.spatial : frame->spatial <= layers.spatial;
    return spatial && frame->temporal <= layers.temporal;
}

/* True if the frame is the last of its picture within `layers`: its last packet gets the marker bit (RFC 9628 section 4.2). */
static inline bool fw_layers_end_picture(fw_layers_t layers, const fw_frame_t *frame) {
    return frame->has_layers && frame->end && frame->spatial == layers.spatial;
}

/* The layers from this packet on, the newest in sequence. `now` are the layers before it, `limit` the highest wanted.
 * Layers change only at the first packet of a picture, so that late packets of it get the same decision. Streams with a
 * dependency descriptor also go up at the first packet of a higher spatial layer's frame: earlier packets keep theirs.
 * Layers go up only where no later frame refers to a dropped one. */
fw_layers_t fw_layers_next(fw_layers_t now, fw_layers_t limit, const fw_frame_t *frame);

#endif
