/* Reads and writes RTP header extension elements: see ext.h. */
#include "ext.h"

static bool is_two_byte(uint16_t profile) { return (profile & 0xFFF0) == FW_RTP_EXT_TWO_BYTE; }

fw_ext_reader_t fw_ext_reader(const uint8_t *packet, const fw_rtp_t *rtp) {
    bool two_byte = is_two_byte(rtp->ext_profile);
    bool known = two_byte || rtp->ext_profile == FW_RTP_EXT_ONE_BYTE;
    return (fw_ext_reader_t){
        .reader = fw_reader(packet + rtp->ext_offset, known ? rtp->ext_len : 0),
        .two_byte = two_byte,
        .known = known,
    };
}

static bool next_two_byte(fw_reader_t *r, fw_ext_t *out) {
    do out->id = fw_take8(r);
    while (r->ok && out->id == 0);
    out->len = fw_take8(r);
    return r->ok;
}

/* RFC 8285 section 4.2: id 15, or id 0 with a length, ends the block; the bytes after it are ignored. */
static bool next_one_byte(fw_reader_t *r, fw_ext_t *out) {
    uint8_t head;
    do head = fw_take8(r);
    while (r->ok && head == 0);
    out->id = head >> 4;
    out->len = (uint8_t)((head & 0x0F) + 1);
    if (out->id == 15 || out->id == 0) r->ok = false;
    return r->ok;
}

bool fw_ext_next(fw_ext_reader_t *r, fw_ext_t *out) {
    if (r->two_byte ? !next_two_byte(&r->reader, out) : !next_one_byte(&r->reader, out)) return false;
    out->data = fw_take(&r->reader, out->len);
    return out->data != NULL;
}

void fw_ext_begin(fw_ext_writer_t *w, uint8_t *out, size_t cap, bool two_byte) {
    *w = (fw_ext_writer_t){.start = out, .len = 4, .cap = cap, .two_byte = two_byte};
}

static size_t padded(size_t len) { return (len + 3) & ~(size_t)3; }

uint8_t *fw_ext_put(fw_ext_writer_t *w, uint8_t id, uint8_t len) {
    if (id == 0 || (!w->two_byte && (id > 14 || len < 1 || len > 16))) return NULL;
    size_t head = w->two_byte ? 2 : 1;
    if (padded(w->len + head + len) > w->cap) return NULL;
    uint8_t *at = w->start + w->len;
    w->len += head + len;
    if (w->two_byte) {
        at[0] = id;
        at[1] = len;
    } else {
        at[0] = (uint8_t)(id << 4 | (len - 1));
    }
    return at + head;
}

size_t fw_ext_end(fw_ext_writer_t *w) {
    if (w->len == 4) return 0;
    while (w->len % 4) w->start[w->len++] = 0;
    fw_store16(w->start, w->two_byte ? FW_RTP_EXT_TWO_BYTE : FW_RTP_EXT_ONE_BYTE);
    fw_store16(w->start + 2, (uint16_t)(w->len / 4 - 1));
    return w->len;
}
