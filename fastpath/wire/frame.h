/* What forwarding needs to know of a codec's first payload bytes: one struct for every codec. */
#ifndef FW_WIRE_FRAME_H
#define FW_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool start;           /* first packet of a frame (of a spatial layer's frame for VP9, AV1) */
    bool end;             /* VP9, AV1: last packet of a spatial layer's frame */
    bool keyframe;        /* first packet of a frame from which a decoder can start */
    bool sets_before;     /* H.264, H.265: such a packet, whose parameter sets come in packets before it, if at all */
    bool has_layers;      /* every packet of the stream says its layers: VP8 and VP9 where they have any, AV1 where described */
    bool described;       /* AV1: by its dependency descriptor, without which a viewer can take no higher spatial layer */
    bool layer_sync;      /* VP8's Y: refers to temporal layer 0 alone */
    bool switch_up;       /* VP9's U, AV1's DTIs: no higher temporal layer refers past this frame from here on */
    bool ids_close_up;    /* VP8: picture ids follow one another; VP9 refers to pictures by them */
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
    uint8_t apart_offset; /* VP9: of the byte whose D bit is clear, in the first packet of a frame above the lowest; else 0 */
} fw_frame_t;

#endif
