/* RTP: the lengths of a packet's parts add up to its length; a written header reads back equal. */
#include "fuzz.h"
#include "wire/demux.h"
#include "wire/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_rtp_t rtp, again;
    fw_demux(data, size);
    if (!fw_rtp_parse_header(data, size, &rtp)) return 0;
    CHECK(rtp.header_len >= FW_RTP_HEADER_BYTES && rtp.header_len <= size);
    CHECK(rtp.ext_offset + rtp.ext_len <= rtp.header_len);
    if (fw_rtp_parse_body(data, size, &rtp)) {
        CHECK((size_t)rtp.header_len + rtp.payload_len + rtp.padding_len == size);
        CHECK(rtp.has_padding == (rtp.padding_len > 0));
    }

    uint8_t header[FW_RTP_HEADER_BYTES];
    fw_rtp_write(header, rtp.has_padding, false, rtp.marker, rtp.payload_type, rtp.seq16, rtp.timestamp, rtp.ssrc);
    CHECK(fw_rtp_parse_header(header, sizeof header, &again));
    CHECK((header[0] & 0x20) == (data[0] & 0x20));
    CHECK(memcmp(header + 1, data + 1, sizeof header - 1) == 0);
    return 0;
}
