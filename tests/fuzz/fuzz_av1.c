/* AV1: layers stay in range; width and height are both known or both 0. */
#include "fuzz.h"
#include "wire/av1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_frame_t frame;
    if (!fw_av1_parse(data, size, &frame)) return 0;
    CHECK(size > 0);
    CHECK(frame.temporal < 8 && frame.spatial < 8);
    CHECK((frame.width == 0) == (frame.height == 0));
    return 0;
}
