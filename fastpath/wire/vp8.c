/* Parses the VP8 payload descriptor: see vp8.h. */
#include "vp8.h"

#include "bytes.h"

/* Reads the size of a keyframe, after the 3-byte frame tag and the start code (RFC 6386 section 9.1). */
static void read_size(fw_reader_t r, fw_frame_t *out) {
    const uint8_t *p = fw_take(&r, 10);
    if (!p || fw_load24(p + 3) != 0x9D012A) return;
    out->width = (uint16_t)((p[7] & 0x3F) << 8 | p[6]);
    out->height = (uint16_t)((p[9] & 0x3F) << 8 | p[8]);
}

bool fw_vp8_parse(const uint8_t *payload, size_t len, fw_frame_t *out) {
    *out = (fw_frame_t){0};
    fw_reader_t r = fw_reader(payload, len);
    uint8_t first = fw_take8(&r);
    out->start = (first & 0x17) == 0x10; /* S, and partition index 0 */
    uint8_t extended = first & 0x80 ? fw_take8(&r) : 0;
    if (extended & 0x80) {
        out->has_picture_id = out->ids_close_up = true;
        out->picture_id_offset = (uint8_t)(len - fw_left(&r));
        uint8_t high = fw_take8(&r);
        out->picture_id_bits = high & 0x80 ? 15 : 7;
        out->picture_id = high & 0x80 ? (uint16_t)((high & 0x7F) << 8 | fw_take8(&r)) : high;
    }
    if (extended & 0x40) {
        out->has_tl0 = true;
        out->tl0_offset = (uint8_t)(len - fw_left(&r));
        out->tl0_pic_idx = fw_take8(&r);
    }
    if (extended & 0x30) {
        out->keyidx_offset = (uint8_t)(len - fw_left(&r));
        uint8_t layer = fw_take8(&r);
        out->has_keyidx = extended & 0x10;
        out->keyidx = layer & 0x1F;
        if (extended & 0x20) {
            out->has_layers = true;
            out->temporal = layer >> 6;
            out->layer_sync = layer & 0x20;
        }
    }
    if (!r.ok) return false;
    out->keyframe = out->start && fw_left(&r) && !(*r.at & 1);
    if (out->keyframe) read_size(r, out);
    return true;
}
