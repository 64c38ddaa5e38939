/* The dependency descriptor: any 3 bytes have the mandatory fields. */
#include "fuzz.h"
#include "wire/dd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_dd_t dd;
    CHECK(fw_dd_parse(data, size, &dd) == (size >= 3));
    if (size < 3) return 0;
    CHECK(dd.template_id < 64);
    CHECK(!dd.has_structure || size > 3);
    return 0;
}
