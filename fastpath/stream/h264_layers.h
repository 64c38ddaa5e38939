/* Temporal layers of H.264 as its NAL units tell them: by prefix NAL units (RFC 6190 section 1.1.3) where these come; else
 * pictures that nothing refers to (nal_ref_idc 0) are the upper one of two layers.
 *
 * A prefix NAL unit may have a packet of its own, so a picture is of the layer that its first packet here told.
 */
#ifndef FW_STREAM_H264_LAYERS_H
#define FW_STREAM_H264_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_NALS_PICTURES 8

typedef struct {
    bool prefixed; /* what a layer refers to is not told: layers are taken up at keyframes alone */
    bool loose;    /* packets come that do not tell whose layer they are: from there on all is of one */
    uint8_t count;
    uint8_t next;
    uint8_t temporals[FW_NALS_PICTURES]; /* of the newest pictures, a ring */
    uint32_t timestamps[FW_NALS_PICTURES];
} fw_h264_layers_t;

/* Puts a packet that fw_h264_parse has read into its layer. */
void fw_h264_layers_read(fw_h264_layers_t *n, uint32_t timestamp, fw_frame_t *frame);

#endif
