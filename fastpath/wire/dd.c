/* The dependency descriptor's mandatory fields: see dd.h. */
#include "dd.h"

#include "bytes.h"

bool fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out) {
    if (len < 3) return false;
    *out = (fw_dd_t){
        .start_of_frame = data[0] & 0x80,
        .end_of_frame = data[0] & 0x40,
        .template_id = data[0] & 0x3F,
        .frame_number = fw_load16(data + 1),
        .has_structure = len > 3 && data[3] & 0x80,
    };
    return true;
}
