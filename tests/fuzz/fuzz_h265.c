/* H.265: layers stay in range; width and height are both known or both 0. */
#include "fuzz.h"
#include "wire/h265.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_frame_t frame;
    if (!fw_h265_parse(data, size, &frame)) return 0;
    CHECK(size > 0);
    CHECK(frame.temporal < 8 && frame.spatial < 8);
    CHECK((frame.width == 0) == (frame.height == 0));
    return 0;
}
