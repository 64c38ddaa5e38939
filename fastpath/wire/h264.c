/* Parses H.264 payloads: see h264.h. */
#include "h264.h"

#include "bits.h"
#include "bytes.h"

#define SPS_MAX_BYTES 256 /* the size fields end before this offset even after full scaling lists */
#define MAX_MACROBLOCKS 4096u /* a side of 65536 pixels */

enum { SLICE = 1, IDR = 5, SEI = 6, SPS = 7, PPS = 8, DELIMITER = 9, PREFIX = 14, STAP_A = 24, FU_A = 28 };

/* Copies an SPS without its emulation prevention bytes (00 00 03). */
static size_t unescape(const uint8_t *nal, size_t len, uint8_t *out) {
    size_t n = 0;
    unsigned zeros = 0;
    for (size_t i = 0; i < len && n < SPS_MAX_BYTES; i++) {
        bool escape = zeros >= 2 && nal[i] == 3;
        zeros = nal[i] ? 0 : zeros + 1;
        if (!escape) out[n++] = nal[i];
    }
    return n;
}

static bool has_chroma_info(uint32_t profile) {
    static const uint8_t profiles[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    for (size_t i = 0; i < sizeof profiles; i++) {
        if (profiles[i] == profile) return true;
    }
    return false;
}

/* Skips a scaling list of 16 or 64 entries (section 7.3.2.1.1.1). A scale of 0 ends the list early. */
static void skip_scaling_list(fw_bits_t *b, unsigned entries) {
    uint32_t scale = 8;
    for (unsigned i = 0; i < entries && scale; i++) {
        uint32_t code = fw_take_ue(b);
        uint32_t delta = code & 1 ? code / 2 + 1 : 0u - code / 2;
        scale = (scale + delta) & 0xFF;
    }
}

/* Reads chroma_format_idc and the fields after it, including the scaling lists. Returns ChromaArrayType. */
static uint32_t read_chroma(fw_bits_t *b) {
    uint32_t format = fw_take_ue(b);
    bool separate_planes = format == 3 && fw_take_flag(b);
    fw_take_ue(b); /* bit_depth_luma_minus8 */
    fw_take_ue(b); /* bit_depth_chroma_minus8 */
    fw_take_flag(b);
    if (fw_take_flag(b)) {
        for (unsigned i = 0; i < (format == 3 ? 12 : 8); i++) {
            if (fw_take_flag(b)) skip_scaling_list(b, i < 6 ? 16 : 64);
        }
    }
    return separate_planes ? 0 : format;
}

static void skip_picture_order(fw_bits_t *b) {
    uint32_t type = fw_take_ue(b);
    if (type == 0) fw_take_ue(b); /* log2_max_pic_order_cnt_lsb_minus4 */
    if (type != 1) return;
    fw_take_flag(b);
    fw_take_ue(b); /* offset_for_non_ref_pic */
    fw_take_ue(b); /* offset_for_top_to_bottom_field */
    uint32_t cycle = fw_take_ue(b);
    for (uint32_t i = 0; b->ok && i < cycle; i++) fw_take_ue(b);
}

/* Returns the side in pixels: 16 for each macroblock less the cropped units; 0 where the result is out of range. */
static uint16_t side(uint32_t macroblocks, uint32_t crop_a, uint32_t crop_b, uint32_t unit) {
    uint64_t whole = (uint64_t)macroblocks * 16, cropped = ((uint64_t)crop_a + crop_b) * unit;
    return macroblocks && macroblocks < MAX_MACROBLOCKS && cropped < whole ? (uint16_t)(whole - cropped) : 0;
}

/* Reads the picture size of an SPS, header byte included (section 7.3.2.1.1). Leaves `out` unchanged where the SPS is truncated. */
static void read_sps(const uint8_t *nal, size_t len, fw_frame_t *out) {
    uint8_t sps[SPS_MAX_BYTES];
    fw_bits_t b = fw_bits(sps, unescape(nal, len, sps));
    fw_take_bits(&b, 8); /* NAL header */
    uint32_t profile = fw_take_bits(&b, 8);
    fw_take_bits(&b, 16); /* constraints and level */
    fw_take_ue(&b);       /* seq_parameter_set_id */
    uint32_t chroma = has_chroma_info(profile) ? read_chroma(&b) : 1;
    fw_take_ue(&b); /* log2_max_frame_num_minus4 */
    skip_picture_order(&b);
    fw_take_ue(&b); /* max_num_ref_frames */
    fw_take_flag(&b);
    uint32_t columns = fw_take_ue(&b) + 1, rows = fw_take_ue(&b) + 1;
    uint32_t fields = fw_take_flag(&b) ? 1 : 2; /* frame_mbs_only_flag; where it is 0 a row counts a pair of fields */
    if (fields == 2) fw_take_flag(&b);
    fw_take_flag(&b);
    uint32_t crop[4] = {0};
    if (fw_take_flag(&b)) {
        for (unsigned i = 0; i < 4; i++) crop[i] = fw_take_ue(&b);
    }
    if (!b.ok || rows > MAX_MACROBLOCKS) return;
    uint16_t width = side(columns, crop[0], crop[1], chroma == 1 || chroma == 2 ? 2 : 1);
    uint16_t height = side(rows * fields, crop[2], crop[3], (chroma == 1 ? 2 : 1) * fields);
    if (!width || !height) return;
    out->width = width;
    out->height = height;
}

/* Reads the temporal layer of the next slice from a prefix NAL unit (H.264 section G.7.3.1.1). */
static void note_prefix(const uint8_t *body, size_t len, fw_frame_t *out) {
    if (len < 3 || !(body[0] & 0x80)) return; /* svc_extension_flag */
    out->has_layers = out->prefixed = true;
    out->temporal = body[2] >> 5;
}

/* nal_ref_idc is 0 in all slices of a picture or in none (section 7.4.1); 0 means that no picture refers to this one. */
static void note_slice(uint8_t header, fw_frame_t *out) {
    bool referred = header & 0x60;
    if (!out->prefixed) out->temporal = referred ? 0 : 1;
    out->layer_sync = !referred;
    out->has_layers = true;
}

/* Adds one NAL unit to `out`. `body` is its payload without the header byte, complete or not; `first` is true for the first NAL unit
 * that starts in the packet. */
static void note_nal(uint8_t header, unsigned type, const uint8_t *body, size_t len, bool first, fw_frame_t *out) {
    bool first_slice = len && body[0] & 0x80; /* first_mb_in_slice is 0 */
    bool slice = type >= SLICE && type <= IDR;
    if (type == IDR && first_slice && !out->keyframe) out->keyframe = out->sets_before = true;
    if (type == SPS) out->keyframe = true;
    if (type == PREFIX) note_prefix(body, len, out);
    if (slice) note_slice(header, out);
    if (first) {
        out->loose = true;
        out->start = slice ? first_slice : (type >= SEI && type <= DELIMITER) || type == PREFIX;
    }
    if (slice || type == SPS || type == PPS || type == PREFIX) out->loose = false;
}

bool fw_h264_parse(const uint8_t *payload, size_t len, fw_frame_t *out) {
    *out = (fw_frame_t){0};
    fw_reader_t r = fw_reader(payload, len);
    uint8_t header = fw_take8(&r);
    unsigned type = header & 0x1F;
    if (!r.ok) return false;
    if (type == FU_A) {
        uint8_t fu = fw_take8(&r);
        if (fu & 0x80) note_nal(header, fu & 0x1F, r.at, fw_left(&r), true, out);
        else if ((fu & 0x1F) >= SLICE && (fu & 0x1F) <= IDR) note_slice(header, out);
        return r.ok;
    }
    if (type != STAP_A) {
        note_nal(header, type, r.at, fw_left(&r), true, out);
        if (type == SPS) read_sps(payload, len, out);
        return true;
    }
    for (bool first = true; fw_left(&r); first = false) {
        size_t size = fw_take16(&r);
        const uint8_t *nal = fw_take(&r, size);
        if (!nal || !size) return false;
        note_nal(nal[0], nal[0] & 0x1F, nal + 1, size - 1, first, out);
        if ((nal[0] & 0x1F) == SPS) read_sps(nal, size, out);
    }
    return true;
}
