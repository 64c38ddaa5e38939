/* The frame and layer fields that the codec parsers read from a payload: one struct for every codec. */
#ifndef FW_WIRE_FRAME_H
#define FW_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_SPATIALS 8 /* spatial layer ids have 3 bits */

typedef struct {
    uint16_t width; /* 0 where unknown */
    uint16_t height;
} fw_size_t;

typedef struct {
    bool start;           /* first packet of a frame (of a spatial layer's frame for VP9, AV1) */
    bool end;             /* VP9, AV1: last packet of a spatial layer's frame */
    bool keyframe;        /* first packet of a frame at which a decoder can start */
    bool sets_before;     /* H.264, H.265: a keyframe packet; its parameter sets, if any, are in earlier packets */
    bool has_layers;      /* `temporal` and `spatial` are known: VP8 and VP9 with layer ids, H.264 slices, else from a descriptor */
    bool from_descriptor; /* the layers are from a dependency descriptor: a viewer without descriptors gets no higher spatial layer */
    bool layer_sync;      /* VP8: the Y bit, depends on temporal layer 0 only; H.264: a slice with nal_ref_idc 0 */
    bool intra;           /* VP9: no inter-picture prediction (P is 0) */
    bool independent_layers; /* no prediction between spatial layers (S modes): from D and Z of intra VP9 frames, or DTIs */
    bool prefixed;        /* H.264: the temporal layer is from a prefix NAL unit */
    bool loose;           /* H.264: the packet has no slice, parameter set or prefix NAL unit, so its layer is unknown */
    bool switch_up;       /* VP9: the U bit; AV1: from DTIs. Later frames of higher temporal layers depend on none before this frame */
    bool ids_close_up;    /* VP8: picture ids may be renumbered without gaps; VP9 refers to pictures by their ids */
    uint8_t temporal;     /* temporal layer 0-7, 0 where unknown */
    uint8_t spatial;      /* spatial layer 0-7 */
    uint8_t up_spatial;   /* with from_descriptor: the highest spatial layer that can be decoded in full from this frame on */
    uint16_t width;       /* of a keyframe, in pixels, 0 where unknown */
    uint16_t height;
    bool has_picture_id;  /* VP8, VP9 */
    bool has_tl0;         /* VP8, VP9: TL0PICIDX */
    bool has_keyidx;      /* VP8: KEYIDX, which counts keyframes in 5 bits */
    uint8_t picture_id_bits; /* 7 or 15 */
    uint16_t picture_id;
    uint8_t tl0_pic_idx;
    uint8_t picture_id_offset; /* every offset counts bytes from the start of the payload */
    uint8_t tl0_offset;
    uint8_t apart_offset; /* VP9: the byte whose D bit is 0, in the first packet of a frame of spatial layer 1 or higher; else 0 */
    uint8_t refs_offset;  /* VP9 in flexible mode: the first P_DIFF byte */
    uint8_t ref_count;    /* number of P_DIFF bytes, 0-3 */
    uint8_t keyidx;
    uint8_t keyidx_offset;
    uint8_t size_count;   /* VP9: number of spatial layers whose sizes the packet carries */
    uint8_t sizes_offset; /* the first of these sizes, each 16 bits of width and 16 bits of height */
} fw_frame_t;

#endif
