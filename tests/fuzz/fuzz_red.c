/* Redundant audio (RFC 2198): the headers precede the blocks, and both lie within the payload. */
#include "fuzz.h"
#include "wire/red.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_red_t red;
    if (!fw_red_parse(data, size, &red)) return 0;
    CHECK(red.headers_len > 0 && red.headers_len <= FW_RED_MAX_HEADERS_BYTES);
    CHECK(red.primary_offset >= red.headers_len && red.primary_offset <= size);
    CHECK((data[red.headers_len - 1] & 0x7F) == red.primary_pt);
    return 0;
}
