/* Which layers of an encoding a consumer takes: temporal ones of VP8, temporal and spatial ones of VP9 and AV1. */
#ifndef FW_STREAM_LAYERS_H
#define FW_STREAM_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_LAYERS_ALL 7 /* no layer has a higher number */

typedef struct {
    uint16_t pictures; /* left out so far, of those whose ids are closed up */
    uint8_t spatial;   /* the highest layers that are taken; of spatial ones that do not refer to each other this one alone */
    uint8_t temporal;
} fw_layers_t;

static inline bool fw_layers_hold(fw_layers_t layers, const fw_frame_t *frame) {
    if (!frame->has_layers) return true;
    bool spatial = frame->independent_layers ? frame->spatial == layers.spatial : frame->spatial <= layers.spatial;
    return spatial && frame->temporal <= layers.temporal;
}

/* Whether the frame ends its picture for those who take no higher layers (RFC 9628 section 4.2: the marker bit). */
static inline bool fw_layers_end_picture(fw_layers_t layers, const fw_frame_t *frame) {
    return frame->has_layers && frame->end && frame->spatial == layers.spatial;
}

/* The layers from this packet on, the newest in sequence: `now` flowed before, `limit` are the highest that are wanted.
 * They change with the first packet of a picture only, so that whatever of it comes late is treated as the rest was; streams
 * that are described go up at any frame's first packet, of which no packet is treated otherwise by that.
 * Layers are taken up where nothing refers to what was left out. */
fw_layers_t fw_layers_next(fw_layers_t now, fw_layers_t limit, const fw_frame_t *frame);

#endif
