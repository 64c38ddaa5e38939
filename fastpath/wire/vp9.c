/* Parses the VP9 payload descriptor: see vp9.h. */
#include "vp9.h"

#include "bytes.h"

#define MAX_REFERENCES 3

/* Reads the sizes of the spatial layers in the scalability structure, and skips its picture group. */
static void read_structure(fw_reader_t *r, size_t offset, fw_frame_t *out) {
    uint8_t head = fw_take8(r);
    out->size_count = head & 0x10 ? (uint8_t)((head >> 5) + 1) : 0;
    out->sizes_offset = (uint8_t)(offset + 1);
    for (unsigned i = 0; i < out->size_count; i++) {
        uint16_t width = fw_take16(r), height = fw_take16(r);
        if ((uint32_t)width * height >= (uint32_t)out->width * out->height) {
            out->width = width;
            out->height = height;
        }
    }
    unsigned pictures = head & 0x08 ? fw_take8(r) : 0;
    for (unsigned i = 0; r->ok && i < pictures; i++) fw_take(r, fw_take8(r) >> 2 & 3);
}

bool fw_vp9_parse(const uint8_t *payload, size_t len, fw_frame_t *out) {
    *out = (fw_frame_t){0};
    fw_reader_t r = fw_reader(payload, len);
    uint8_t first = fw_take8(&r);
    bool inter_predicted = first & 0x40, layers = first & 0x20, flexible = first & 0x10;
    out->intra = !inter_predicted;
    out->start = first & 0x08;
    out->end = first & 0x04;
    if (first & 0x80) {
        out->has_picture_id = true;
        out->picture_id_offset = (uint8_t)(len - fw_left(&r));
        uint8_t high = fw_take8(&r);
        out->picture_id_bits = high & 0x80 ? 15 : 7;
        out->picture_id = high & 0x80 ? (uint16_t)((high & 0x7F) << 8 | fw_take8(&r)) : high;
    }
    if (layers) {
        uint8_t ids = fw_take8(&r);
        out->has_layers = true;
        out->temporal = ids >> 5;
        out->switch_up = ids & 0x10;
        out->spatial = ids >> 1 & 7;
        if (out->start && out->spatial > 0 && (ids & 1) == 0) out->apart_offset = (uint8_t)(len - fw_left(&r) - 1);
        bool below = ids & 0x01, above = !(first & 0x01);
        out->independent_layers = out->intra && !(out->spatial > 0 ? below : above);
    }
    if (layers && !flexible) {
        out->has_tl0 = true;
        out->tl0_offset = (uint8_t)(len - fw_left(&r));
        out->tl0_pic_idx = fw_take8(&r);
    }
    if (flexible && inter_predicted) {
        uint8_t reference;
        out->refs_offset = (uint8_t)(len - fw_left(&r));
        do reference = fw_take8(&r);
        while (++out->ref_count < MAX_REFERENCES && reference & 1);
        if (reference & 1) return false;
    }
    if (first & 0x02) read_structure(&r, len - fw_left(&r), out);
    out->keyframe = !inter_predicted && out->start && out->spatial == 0;
    return r.ok;
}
