#include "layers.h"

static uint8_t lower(uint8_t a, uint8_t b) { return a < b ? a : b; }

/* The layers from the first packet of this picture on. */
static fw_layers_t at_picture(fw_layers_t now, fw_layers_t limit, const fw_frame_t *frame) {
    if (!frame->independent_layers) now.spatial = lower(now.spatial, limit.spatial);
    now.temporal = lower(now.temporal, limit.temporal);
    if (frame->keyframe) {
        now.spatial = limit.spatial;
        now.temporal = limit.temporal;
    }
    return now;
}

fw_layers_t fw_layers_next(fw_layers_t now, fw_layers_t limit, const fw_frame_t *frame) {
    if (!frame->start || (frame->spatial > 0 && !frame->from_descriptor)) return now;
    if (frame->spatial == 0) now = at_picture(now, limit, frame);
    if (frame->spatial <= now.spatial && frame->temporal <= now.temporal && now.spatial < lower(limit.spatial, frame->up_spatial))
        now.spatial = lower(limit.spatial, frame->up_spatial);
    if (now.temporal >= limit.temporal) return now;
    /* VP8: this frame refers to temporal layer 0 only. Goes up one layer: frames of the layer above may refer to this layer. */
    if (frame->layer_sync && frame->temporal == now.temporal + 1) now.temporal++;
    /* VP9: no later frame of a higher layer refers to a frame before this one. AV1: same, set on the picture's last frame. */
    if (frame->switch_up && frame->temporal <= now.temporal) now.temporal = limit.temporal;
    return now;
}
