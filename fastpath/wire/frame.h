/* What forwarding needs to know of a codec's first payload bytes: one struct for every codec. */
#ifndef FW_WIRE_FRAME_H
#define FW_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool start;           /* first packet of a frame (of a spatial layer's frame for VP9, AV1) */
    bool keyframe;        /* first packet of a frame from which a decoder can start */
    uint8_t temporal;     /* temporal layer 0-7, 0 where the codec says nothing */
    uint8_t spatial;      /* spatial layer 0-7 */
    uint16_t width;       /* of a keyframe, 0 where unknown */
    uint16_t height;
    bool has_picture_id;  /* VP8, VP9 */
    bool has_tl0;         /* VP8, VP9: TL0PICIDX */
    uint8_t picture_id_bits; /* 7 or 15 */
    uint16_t picture_id;
    uint8_t tl0_pic_idx;
    uint8_t picture_id_offset; /* into the payload */
    uint8_t tl0_offset;
} fw_frame_t;

#endif
