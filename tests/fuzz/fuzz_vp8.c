/* VP8: offsets of fields to rewrite lie within the payload; a keyframe also has `start`. */
#include "fuzz.h"
#include "wire/vp8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_frame_t frame;
    if (!fw_vp8_parse(data, size, &frame)) return 0;
    CHECK(size > 0);
    CHECK(frame.start || !frame.keyframe);
    if (frame.has_picture_id) CHECK(frame.picture_id_offset + (frame.picture_id_bits == 15 ? 2u : 1u) <= size);
    if (frame.has_keyidx) CHECK(frame.keyidx_offset < size && (data[frame.keyidx_offset] & 31) == frame.keyidx);
    if (frame.has_tl0) CHECK(frame.tl0_offset < size && data[frame.tl0_offset] == frame.tl0_pic_idx);
    return 0;
}
