/* What forwarding needs to know of a codec's first payload bytes: one struct for every codec. */
#ifndef FW_WIRE_FRAME_H
#define FW_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_SPATIALS 8 /* layers that three bits tell apart */

typedef struct {
    uint16_t width; /* 0 where unknown */
    uint16_t height;
} fw_size_t;

typedef struct {
    bool start;           /* first packet of a frame (of a spatial layer's frame for VP9, AV1) */
    bool end;             /* VP9, AV1: last packet of a spatial layer's frame */
    bool keyframe;        /* first packet of a frame from which a decoder can start */
    bool sets_before;     /* H.264, H.265: such a packet, whose parameter sets come in packets before it, if at all */
    bool has_layers;      /* the packet says its layers: VP8 and VP9 where they have any, H.264's slices, others where described */
    bool from_descriptor; /* by its dependency descriptor, without which a viewer can take no higher spatial layer */
    bool layer_sync;      /* VP8's Y: refers to temporal layer 0 alone; H.264 slices that nothing refers to */
    bool intra;           /* VP9: refers to no other picture */
    bool independent_layers; /* its spatial layer and others do not refer to each other (S modes): VP9's D and Z where intra, AV1's DTIs */
    bool prefixed;        /* H.264: the temporal layer is from a prefix NAL unit */
    bool loose;           /* H.264: neither slices nor parameter sets, and nothing that tells the layer of their picture */
    bool switch_up;       /* VP9's U, AV1's DTIs: no higher temporal layer refers past this frame from here on */
    bool ids_close_up;    /* VP8: picture ids follow one another; VP9 refers to pictures by them */
    uint8_t temporal;     /* temporal layer 0-7, 0 where the codec says nothing */
    uint8_t spatial;      /* spatial layer 0-7 */
    uint8_t up_spatial;   /* described: the highest spatial layer of which everything can be decoded from this frame on */
    uint16_t width;       /* of a keyframe, 0 where unknown */
    uint16_t height;
    bool has_picture_id;  /* VP8, VP9 */
    bool has_tl0;         /* VP8, VP9: TL0PICIDX */
    bool has_keyidx;      /* VP8: KEYIDX, which counts keyframes in 5 bits */
    uint8_t picture_id_bits; /* 7 or 15 */
    uint16_t picture_id;
    uint8_t tl0_pic_idx;
    uint8_t picture_id_offset; /* into the payload */
    uint8_t tl0_offset;
    uint8_t apart_offset; /* VP9: of the byte whose D bit is clear, in the first packet of a frame above the lowest; else 0 */
    uint8_t refs_offset;  /* VP9 in flexible mode: of the bytes that name the pictures which it refers to, */
    uint8_t ref_count;    /* so many */
    uint8_t keyidx;
    uint8_t keyidx_offset;
    uint8_t size_count;   /* VP9: spatial layers whose sizes are told, each by 16 bits of width and of height, */
    uint8_t sizes_offset; /* from here in the payload */
} fw_frame_t;

#endif
