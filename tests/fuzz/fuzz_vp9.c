/* VP9: offsets of fields to rewrite lie within the payload; a keyframe also has `start`. */
#include "fuzz.h"
#include "wire/vp9.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_frame_t frame;
    if (!fw_vp9_parse(data, size, &frame)) return 0;
    CHECK(size > 0);
    CHECK(frame.start || !frame.keyframe);
    if (frame.has_picture_id) CHECK(frame.picture_id_offset + (frame.picture_id_bits == 15 ? 2u : 1u) <= size);
    if (frame.has_tl0) CHECK(frame.tl0_offset < size && data[frame.tl0_offset] == frame.tl0_pic_idx);
    if (frame.apart_offset != 0) CHECK(frame.apart_offset < size && (data[frame.apart_offset] & 1) == 0 && frame.spatial > 0);
    CHECK((size_t)frame.refs_offset + frame.ref_count <= size);
    return 0;
}
