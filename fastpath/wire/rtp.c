/* Reads and writes the RTP header: see rtp.h. */
#include "rtp.h"

#include "bytes.h"

bool fw_rtp_parse_header(const uint8_t *packet, size_t len, fw_rtp_t *out) {
    if (len < FW_RTP_HEADER_BYTES || len > UINT16_MAX || packet[0] >> 6 != 2) return false;
    *out = (fw_rtp_t){
        .ssrc = fw_load32(packet + 8),
        .timestamp = fw_load32(packet + 4),
        .seq16 = fw_load16(packet + 2),
        .payload_type = packet[1] & 0x7F,
        .marker = packet[1] & 0x80,
        .has_padding = packet[0] & 0x20,
    };
    size_t at = FW_RTP_HEADER_BYTES + (size_t)(packet[0] & 0x0F) * 4;
    if (packet[0] & 0x10) {
        if (len < at + 4) return false;
        size_t ext_len = (size_t)fw_load16(packet + at + 2) * 4;
        if (len < at + 4 + ext_len) return false;
        out->ext_profile = fw_load16(packet + at);
        out->ext_offset = (uint16_t)(at + 4);
        out->ext_len = (uint16_t)ext_len;
        at += 4 + ext_len;
    }
    out->header_len = (uint16_t)at;
    return at <= len;
}

bool fw_rtp_parse_body(const uint8_t *packet, size_t len, fw_rtp_t *rtp) {
    if (len < rtp->header_len || len > UINT16_MAX) return false;
    size_t body = len - rtp->header_len;
    uint8_t padding = 0;
    if (rtp->has_padding) {
        if (body == 0) return false;
        padding = packet[len - 1];
        if (padding == 0 || padding > body) return false;
    }
    rtp->padding_len = padding;
    rtp->payload_len = (uint16_t)(body - padding);
    return true;
}

void fw_rtp_write(uint8_t *out, bool padding, bool extension, bool marker, uint8_t payload_type, uint16_t seq16,
                  uint32_t timestamp, uint32_t ssrc) {
    out[0] = (uint8_t)(0x80 | (padding ? 0x20 : 0) | (extension ? 0x10 : 0));
    out[1] = (uint8_t)((marker ? 0x80 : 0) | (payload_type & 0x7F));
    fw_store16(out + 2, seq16);
    fw_store32(out + 4, timestamp);
    fw_store32(out + 8, ssrc);
}
