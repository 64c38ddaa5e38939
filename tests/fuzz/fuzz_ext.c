/* Header extensions: every element lies within the block; rewritten elements read back equal. */
#include "fuzz.h"
#include "wire/ext.h"

#define MAX_PACKET_BYTES 65535

static void check_rewritten(const uint8_t *packet, const fw_rtp_t *rtp, bool two_byte) {
    static uint8_t out[FW_RTP_HEADER_BYTES + MAX_PACKET_BYTES];
    fw_ext_t element, again;
    fw_ext_writer_t writer;
    unsigned taken = 0;
    fw_ext_begin(&writer, out + FW_RTP_HEADER_BYTES, rtp->ext_len, two_byte);
    for (fw_ext_reader_t r = fw_ext_reader(packet, rtp); fw_ext_next(&r, &element);) {
        uint8_t *room = fw_ext_put(&writer, element.id, element.len);
        if (!room) break;
        memcpy(room, element.data, element.len);
        taken++;
    }
    size_t len = fw_ext_end(&writer);
    CHECK(len % 4 == 0);
    CHECK((len == 0) == (taken == 0));
    CHECK(len <= rtp->ext_len);
    if (!taken) return;

    fw_rtp_t written;
    fw_rtp_write(out, false, true, false, 0, 0, 0, 0);
    CHECK(fw_rtp_parse_header(out, FW_RTP_HEADER_BYTES + len, &written));
    fw_ext_reader_t first = fw_ext_reader(packet, rtp), second = fw_ext_reader(out, &written);
    for (; taken; taken--) {
        CHECK(fw_ext_next(&first, &element) && fw_ext_next(&second, &again));
        CHECK(element.id == again.id && element.len == again.len);
        CHECK(memcmp(element.data, again.data, element.len) == 0);
    }
    CHECK(!fw_ext_next(&second, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_rtp_t rtp;
    fw_ext_t element;
    if (!fw_rtp_parse_header(data, size, &rtp)) return 0;
    fw_ext_reader_t r = fw_ext_reader(data, &rtp);
    while (fw_ext_next(&r, &element)) {
        CHECK(element.id > 0);
        CHECK(fuzz_within(element.data, element.len, data + rtp.ext_offset, rtp.ext_len));
    }
    CHECK(!fw_ext_next(&r, &element)); /* the end stays the end */
    check_rewritten(data, &rtp, false);
    check_rewritten(data, &rtp, true);
    return 0;
}
