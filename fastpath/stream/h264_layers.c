#include "h264_layers.h"

static int find(const fw_h264_layers_t *n, uint32_t timestamp) {
    for (int i = 0; i < n->count; i++)
        if (n->timestamps[i] == timestamp) return i;
    return -1;
}

static void remember(fw_h264_layers_t *n, uint32_t timestamp, uint8_t temporal) {
    n->timestamps[n->next] = timestamp;
    n->temporals[n->next] = temporal;
    n->next = (uint8_t)((n->next + 1) % FW_NALS_PICTURES);
    if (n->count < FW_NALS_PICTURES) n->count++;
}

void fw_h264_layers_read(fw_h264_layers_t *n, uint32_t timestamp, fw_frame_t *frame) {
    if (frame->loose) n->loose = true;
    if (frame->prefixed) n->prefixed = true;
    if (n->loose) frame->has_layers = false;
    if (!frame->has_layers) return;
    int picture = find(n, timestamp);
    if (picture < 0) {
        remember(n, timestamp, frame->temporal);
    } else {
        frame->temporal = n->temporals[picture];
        frame->start = false; /* an earlier packet started the picture */
    }
    frame->layer_sync = frame->layer_sync && !n->prefixed;
}
