/* Parses H.265 payloads: see h265.h. */
#include "h265.h"

#include "bytes.h"

enum { SLICES_END = 32, IRAP_FIRST = 16, IRAP_LAST = 23, VPS = 32, SPS = 33, DELIMITER = 35, SEI = 39 };
enum { AGGREGATION = 48, FRAGMENTATION = 49 };

static unsigned nal_type(const uint8_t *header) { return header[0] >> 1 & 0x3F; }

/* Adds one NAL unit to `out`. `body` is its payload without the 2 header bytes, complete or not; `first` is true for the first NAL
 * unit that starts in the packet. */
static void note_nal(unsigned type, const uint8_t *body, size_t len, bool first, fw_frame_t *out) {
    bool first_slice = len && body[0] & 0x80; /* first_slice_segment_in_pic_flag */
    bool irap = type >= IRAP_FIRST && type <= IRAP_LAST;
    if ((type == SPS || (irap && first_slice)) && !out->keyframe) out->keyframe = out->sets_before = true;
    if (type == VPS) out->keyframe = true;
    if (first) out->start = type < SLICES_END ? first_slice : type <= DELIMITER || type == SEI;
}

bool fw_h265_parse(const uint8_t *payload, size_t len, fw_frame_t *out) {
    *out = (fw_frame_t){0};
    fw_reader_t r = fw_reader(payload, len);
    const uint8_t *header = fw_take(&r, 2);
    if (!header) return false;
    unsigned temporal_plus1 = header[1] & 7;
    out->temporal = (uint8_t)(temporal_plus1 ? temporal_plus1 - 1 : 0);
    unsigned type = nal_type(header);
    if (type == FRAGMENTATION) {
        uint8_t fu = fw_take8(&r);
        if (fu & 0x80) note_nal(fu & 0x3F, r.at, fw_left(&r), true, out);
        return r.ok;
    }
    if (type != AGGREGATION) {
        note_nal(type, r.at, fw_left(&r), true, out);
        return true;
    }
    for (bool first = true; fw_left(&r); first = false) {
        size_t size = fw_take16(&r);
        const uint8_t *nal = fw_take(&r, size);
        if (!nal || size < 2) return false;
        note_nal(nal_type(nal), nal + 2, size - 2, first, out);
    }
    return true;
}
