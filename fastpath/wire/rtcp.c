/* Reads and writes RTCP packets: see rtcp.h. */
#include "rtcp.h"

#define SENDER_INFO_END 28 /* header, SSRC and sender info of an SR */
#define BLOCK_BYTES 24
#define FCI 12 /* offset of the feedback control information, in bytes */
#define SDES_CNAME 1
#define REMB_ID 0x52454D42u /* "REMB" */
#define MAX_COUNT 31u

bool fw_rtcp_next(fw_reader_t *r, fw_rtcp_t *out) {
    if (!r->ok || !fw_left(r)) return false;
    const uint8_t *data = r->at;
    if (fw_left(r) < 4 || data[0] >> 6 != 2) {
        r->ok = false;
        return false;
    }
    size_t len = ((size_t)fw_load16(data + 2) + 1) * 4;
    if (!fw_take(r, len)) return false;
    size_t padding = data[0] & 0x20 ? data[len - 1] : 0;
    if (data[0] & 0x20 && (padding == 0 || padding > len - 4)) {
        r->ok = false;
        return false;
    }
    *out = (fw_rtcp_t){.data = data, .len = len - padding, .type = data[1], .count = data[0] & 0x1F};
    return true;
}

bool fw_rtcp_sender_info(const fw_rtcp_t *p, fw_sender_info_t *out) {
    if (p->type != FW_RTCP_SR || p->len < SENDER_INFO_END) return false;
    *out = (fw_sender_info_t){
        .ssrc = fw_load32(p->data + 4),
        .ntp = fw_load64(p->data + 8),
        .timestamp = fw_load32(p->data + 16),
        .packets = fw_load32(p->data + 20),
        .octets = fw_load32(p->data + 24),
    };
    return true;
}

/* Returns entry `i` of a list of `size`-byte entries that starts at `offset`; NULL where the packet ends before the entry does. */
static const uint8_t *entry(const fw_rtcp_t *p, size_t offset, unsigned i, size_t size) {
    if (p->len < offset || i >= (p->len - offset) / size) return NULL;
    return p->data + offset + i * size;
}

bool fw_rtcp_report_block(const fw_rtcp_t *p, unsigned i, fw_report_block_t *out) {
    if ((p->type != FW_RTCP_SR && p->type != FW_RTCP_RR) || i >= p->count) return false;
    const uint8_t *b = entry(p, p->type == FW_RTCP_SR ? SENDER_INFO_END : 8, i, BLOCK_BYTES);
    if (!b) return false;
    uint32_t lost = fw_load24(b + 5);
    *out = (fw_report_block_t){
        .ssrc = fw_load32(b),
        .fraction_lost = b[4],
        .cumulative_lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
        .highest_seq = fw_load32(b + 8),
        .jitter_ticks = fw_load32(b + 12),
        .last_sr = fw_load32(b + 16),
        .delay_sr = fw_load32(b + 20),
    };
    return true;
}

bool fw_rtcp_feedback(const fw_rtcp_t *p, uint32_t *sender_ssrc, uint32_t *media_ssrc) {
    if ((p->type != FW_RTCP_RTPFB && p->type != FW_RTCP_PSFB) || p->len < FCI) return false;
    *sender_ssrc = fw_load32(p->data + 4);
    *media_ssrc = fw_load32(p->data + 8);
    return true;
}

bool fw_rtcp_nack(const fw_rtcp_t *p, unsigned i, uint16_t *seq16, uint16_t *mask) {
    if (p->type != FW_RTCP_RTPFB || p->count != FW_RTPFB_NACK) return false;
    const uint8_t *e = entry(p, FCI, i, 4);
    if (!e) return false;
    *seq16 = fw_load16(e);
    *mask = fw_load16(e + 2);
    return true;
}

bool fw_rtcp_fir(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc, uint8_t *command_seq) {
    if (p->type != FW_RTCP_PSFB || p->count != FW_PSFB_FIR) return false;
    const uint8_t *e = entry(p, FCI, i, 8);
    if (!e) return false;
    *ssrc = fw_load32(e);
    *command_seq = e[4];
    return true;
}

bool fw_rtcp_remb(const fw_rtcp_t *p, uint64_t *bitrate_bps) {
    if (p->type != FW_RTCP_PSFB || p->count != FW_PSFB_AFB || p->len < FCI + 8) return false;
    const uint8_t *e = p->data + FCI;
    if (fw_load32(e) != REMB_ID || p->len < FCI + 8 + (size_t)e[4] * 4) return false;
    unsigned exponent = e[5] >> 2;
    uint64_t mantissa = fw_load24(e + 5) & 0x3FFFF;
    *bitrate_bps = mantissa > UINT64_MAX >> exponent ? UINT64_MAX : mantissa << exponent;
    return true;
}

bool fw_rtcp_bye(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc) {
    if (p->type != FW_RTCP_BYE || i >= p->count) return false;
    const uint8_t *e = entry(p, 4, i, 4);
    if (!e) return false;
    *ssrc = fw_load32(e);
    return true;
}

uint8_t *fw_rtcp_put(fw_rtcp_writer_t *w, uint8_t type, unsigned count, size_t len) {
    if (count > MAX_COUNT || len > ((size_t)UINT16_MAX + 1) * 4 || len > w->cap - w->len) {
        w->overflow = true;
        return NULL;
    }
    uint8_t *p = w->out + w->len;
    w->len += len;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = type;
    fw_store16(p + 2, (uint16_t)(len / 4 - 1));
    return p;
}

void fw_rtcp_put_sr(fw_rtcp_writer_t *w, const fw_sender_info_t *info) {
    uint8_t *p = fw_rtcp_put(w, FW_RTCP_SR, 0, SENDER_INFO_END);
    if (!p) return;
    fw_store32(p + 4, info->ssrc);
    fw_store64(p + 8, info->ntp);
    fw_store32(p + 16, info->timestamp);
    fw_store32(p + 20, info->packets);
    fw_store32(p + 24, info->octets);
}

void fw_rtcp_put_rr(fw_rtcp_writer_t *w, uint32_t sender_ssrc, const fw_report_block_t *blocks, unsigned count) {
    uint8_t *p = fw_rtcp_put(w, FW_RTCP_RR, count, 8 + (size_t)count * BLOCK_BYTES);
    if (!p) return;
    fw_store32(p + 4, sender_ssrc);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *b = p + 8 + (size_t)i * BLOCK_BYTES;
        fw_store32(b, blocks[i].ssrc);
        b[4] = blocks[i].fraction_lost;
        fw_store24(b + 5, (uint32_t)blocks[i].cumulative_lost);
        fw_store32(b + 8, blocks[i].highest_seq);
        fw_store32(b + 12, blocks[i].jitter_ticks);
        fw_store32(b + 16, blocks[i].last_sr);
        fw_store32(b + 20, blocks[i].delay_sr);
    }
}

void fw_rtcp_put_sdes(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count, const char *cname, size_t cname_len) {
    if (cname_len < 1 || cname_len > UINT8_MAX) {
        w->overflow = true;
        return;
    }
    /* At least one zero byte ends a chunk; zeros pad it to a multiple of 4 bytes (RFC 3550 section 6.5). */
    size_t chunk = 4 + ((2 + cname_len + 4) & ~(size_t)3);
    uint8_t *p = fw_rtcp_put(w, FW_RTCP_SDES, count, 4 + count * chunk);
    if (!p) return;
    p += 4;
    for (unsigned i = 0; i < count; i++, p += chunk) {
        memset(p, 0, chunk);
        fw_store32(p, ssrcs[i]);
        p[4] = SDES_CNAME;
        p[5] = (uint8_t)cname_len;
        memcpy(p + 6, cname, cname_len);
    }
}

void fw_rtcp_put_bye(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count) {
    uint8_t *p = fw_rtcp_put(w, FW_RTCP_BYE, count, 4 + (size_t)count * 4);
    if (!p) return;
    for (unsigned i = 0; i < count; i++) fw_store32(p + 4 + (size_t)i * 4, ssrcs[i]);
}

static uint8_t *put_feedback(fw_rtcp_writer_t *w, uint8_t type, unsigned format, size_t fci_len, uint32_t sender_ssrc,
                             uint32_t media_ssrc) {
    uint8_t *p = fw_rtcp_put(w, type, format, FCI + fci_len);
    if (!p) return NULL;
    fw_store32(p + 4, sender_ssrc);
    fw_store32(p + 8, media_ssrc);
    return p + FCI;
}

/* Returns one FCI entry for the sequence numbers from *at on, and moves *at to the first number that the entry does not cover. */
static uint32_t nack_entry(const uint16_t *seqs, unsigned count, unsigned *at) {
    uint16_t first = seqs[(*at)++];
    uint32_t mask = 0;
    for (; *at < count; (*at)++) {
        uint16_t distance = (uint16_t)(seqs[*at] - first);
        if (distance > 16) break;
        if (distance) mask |= 1u << (distance - 1);
    }
    return (uint32_t)first << 16 | mask;
}

void fw_rtcp_put_nack(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs,
                      unsigned count) {
    if (!count) return;
    size_t entries = 0;
    for (unsigned at = 0; at < count; entries++) nack_entry(seqs, count, &at);
    uint8_t *fci = put_feedback(w, FW_RTCP_RTPFB, FW_RTPFB_NACK, entries * 4, sender_ssrc, media_ssrc);
    if (!fci) return;
    for (unsigned at = 0; at < count; fci += 4) fw_store32(fci, nack_entry(seqs, count, &at));
}

void fw_rtcp_put_pli(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc) {
    put_feedback(w, FW_RTCP_PSFB, FW_PSFB_PLI, 0, sender_ssrc, media_ssrc);
}

void fw_rtcp_put_fir(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command_seq) {
    uint8_t *fci = put_feedback(w, FW_RTCP_PSFB, FW_PSFB_FIR, 8, sender_ssrc, 0);
    if (!fci) return;
    fw_store32(fci, media_ssrc);
    fw_store32(fci + 4, (uint32_t)command_seq << 24);
}

void fw_rtcp_put_remb(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs,
                      unsigned count) {
    if (count > UINT8_MAX) {
        w->overflow = true;
        return;
    }
    uint8_t *fci = put_feedback(w, FW_RTCP_PSFB, FW_PSFB_AFB, 8 + (size_t)count * 4, sender_ssrc, 0);
    if (!fci) return;
    uint32_t exponent = 0;
    while (bitrate_bps >> exponent > 0x3FFFF) exponent++;
    fw_store32(fci, REMB_ID);
    fw_store32(fci + 4, count << 24 | exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (unsigned i = 0; i < count; i++) fw_store32(fci + 8 + (size_t)i * 4, ssrcs[i]);
}
