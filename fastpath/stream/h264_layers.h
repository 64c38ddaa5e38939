/* Finds the temporal layer of H.264 pictures: from prefix NAL units (RFC 6190 section 1.1.3) if the stream has them; else
 * pictures that are not references (nal_ref_idc 0) form the upper one of two layers.
 *
 * A prefix NAL unit may have a packet of its own, so the first received packet of a picture sets the layer of them all.
 */
#ifndef FW_STREAM_H264_LAYERS_H
#define FW_STREAM_H264_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_NALS_PICTURES 8

typedef struct {
    bool prefixed; /* prefix NAL units do not give references: consumers go up a layer only at keyframes */
    bool loose;    /* a packet did not give its layer: from there on the stream has no layers */
    uint8_t count;
    uint8_t next;
    uint8_t temporals[FW_NALS_PICTURES]; /* of the newest pictures; a ring */
    uint32_t timestamps[FW_NALS_PICTURES];
} fw_h264_layers_t;

/* Sets the layer of a frame that fw_h264_parse has read. */
void fw_h264_layers_read(fw_h264_layers_t *n, uint32_t timestamp, fw_frame_t *frame);

#endif
