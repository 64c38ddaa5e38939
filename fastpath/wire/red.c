#include "red.h"

#include "bytes.h"

bool fw_red_parse(const uint8_t *payload, size_t len, fw_red_t *out) {
    fw_reader_t r = fw_reader(payload, len);
    size_t redundant = 0;
    for (;;) {
        uint8_t first = fw_take8(&r);
        if (!r.ok) return false;
        out->primary_pt = first & 0x7f;
        if ((first & 0x80) == 0) break;
        /* timestamp offset: 14 bits, block length: 10 bits */
        (void)fw_take8(&r);
        redundant += fw_take16(&r) & 0x3ff;
    }
    size_t headers = (size_t)(r.at - payload);
    if (headers > FW_RED_MAX_HEADERS_BYTES || headers + redundant > len || len > UINT16_MAX) return false;
    out->headers_len = (uint16_t)headers;
    out->primary_offset = (uint16_t)(headers + redundant);
    return true;
}
