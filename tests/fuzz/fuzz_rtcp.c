/* RTCP: packets cover the datagram without gaps; parsed fields can be written and read back equal. */
#include "fuzz.h"
#include "wire/rtcp.h"

static void check_nack(const fw_rtcp_t *p) {
    uint16_t lost[17], seq16, mask, seq16_again, mask_again;
    if (!fw_rtcp_nack(p, 0, &seq16, &mask)) return;
    unsigned count = 0;
    lost[count++] = seq16;
    for (unsigned bit = 0; bit < 16; bit++) {
        if (mask >> bit & 1) lost[count++] = (uint16_t)(seq16 + bit + 1);
    }
    uint8_t out[16];
    fw_rtcp_writer_t w = fw_rtcp_writer(out, sizeof out);
    fw_rtcp_put_nack(&w, 1, 2, lost, count);
    fw_reader_t r = fw_reader(out, w.len);
    fw_rtcp_t written;
    CHECK(!w.overflow && fw_rtcp_next(&r, &written));
    CHECK(fw_rtcp_nack(&written, 0, &seq16_again, &mask_again) && seq16 == seq16_again && mask == mask_again);
}

static void check_report(const fw_rtcp_t *p) {
    fw_report_block_t blocks[31], again;
    unsigned count = 0;
    while (count < 31 && fw_rtcp_report_block(p, count, &blocks[count])) count++;
    CHECK(count <= p->count);
    uint8_t out[8 + 31 * 24];
    fw_rtcp_writer_t w = fw_rtcp_writer(out, 8 + (size_t)count * 24);
    fw_rtcp_put_rr(&w, 1, blocks, count);
    fw_reader_t r = fw_reader(out, w.len);
    fw_rtcp_t written;
    CHECK(!w.overflow && w.len == w.cap && fw_rtcp_next(&r, &written));
    for (unsigned i = 0; i < count; i++) {
        CHECK(fw_rtcp_report_block(&written, i, &again));
        CHECK(again.ssrc == blocks[i].ssrc && again.cumulative_lost == blocks[i].cumulative_lost);
        CHECK(again.highest_seq == blocks[i].highest_seq && again.delay_sr == blocks[i].delay_sr);
    }
}

static void check_packet(const fw_rtcp_t *p) {
    fw_sender_info_t info;
    uint32_t ssrc, media_ssrc;
    uint64_t bitrate_bps;
    uint8_t command_seq;
    unsigned i = 0;
    fw_rtcp_sender_info(p, &info);
    fw_rtcp_feedback(p, &ssrc, &media_ssrc);
    fw_rtcp_remb(p, &bitrate_bps);
    while (fw_rtcp_fir(p, i, &ssrc, &command_seq)) i++;
    CHECK(12 + (size_t)i * 8 <= p->len || i == 0);
    for (i = 0; fw_rtcp_bye(p, i, &ssrc);) i++;
    CHECK(i <= p->count);
    check_report(p);
    check_nack(p);
}

/* Whatever the room, the builders keep to it and leave whole packets. */
static void check_builders(const uint8_t *data, size_t size) {
    uint32_t ssrcs[31] = {0};
    unsigned count = data[0] % 32, packets = 0;
    uint64_t bitrate_bps = fw_load64(data);
    fw_sender_info_t info = {.ssrc = 1, .ntp = bitrate_bps};
    size_t cap = fw_load16(data + 1) % 1024;
    uint8_t *out = malloc(cap ? cap : 1);
    CHECK(out);
    fw_rtcp_writer_t w = fw_rtcp_writer(out, cap);
    fw_rtcp_put_sr(&w, &info);
    fw_rtcp_put_sdes(&w, ssrcs, count, (const char *)data, size < 255 ? size : 255);
    fw_rtcp_put_pli(&w, 1, 2);
    fw_rtcp_put_fir(&w, 1, 2, data[0]);
    fw_rtcp_put_remb(&w, 1, bitrate_bps, ssrcs, count);
    fw_rtcp_put_bye(&w, ssrcs, count);
    CHECK(w.len <= cap);
    fw_rtcp_t p;
    fw_reader_t r = fw_reader(w.out, w.len);
    while (fw_rtcp_next(&r, &p)) packets++;
    CHECK(r.ok && (packets == 6) == !w.overflow);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size >= 8) check_builders(data, size);
    fw_reader_t r = fw_reader(data, size);
    fw_rtcp_t p;
    const uint8_t *end = data;
    while (fw_rtcp_next(&r, &p)) {
        CHECK(p.data == end && p.len >= 4);
        CHECK(fuzz_within(p.data, p.len, data, size));
        end = r.at;
        check_packet(&p);
    }
    CHECK(!r.ok || end == data + size);
    CHECK(!fw_rtcp_next(&r, &p)); /* the end stays the end */
    return 0;
}
