/* Reads and writes transport-wide congestion control feedback: see twcc.h. */
#include "twcc.h"

#define TICK_US 250
#define REFERENCE_TICKS 256 /* ticks of 250 us in one unit of the reference time, 64 ms */
#define CHUNKS_AT 20        /* offset in bytes: after RTCP header, SSRCs, base, count, reference time, feedback count */
#define RUN_MASK 0x1FFFu
#define BITS_SYMBOLS 14u /* in a status vector of 1-bit symbols */
#define PAIRS_SYMBOLS 7u /* in a status vector of 2-bit symbols */
#define MAX_CHUNKS (FW_TWCC_MAX_PACKETS / PAIRS_SYMBOLS + 1)

enum { LOST = 0, SMALL = 1, LARGE = 2 }; /* the value of a symbol is the length of its delta in bytes */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Sets symbols and deltas. Returns the number of packets before the first delta that exceeds signed 16 bits. */
static unsigned classify(const int64_t *arrivals_us, unsigned count, int64_t reference_ticks, uint8_t *symbols,
                         int16_t *deltas) {
    int64_t last = reference_ticks;
    for (unsigned i = 0; i < count; i++) {
        symbols[i] = LOST;
        if (arrivals_us[i] == FW_TWCC_LOST) continue;
        /* Subtracts rounded times instead of rounding differences, so that rounding errors do not accumulate. */
        int64_t now = floor_div(arrivals_us[i], TICK_US);
        int64_t delta = now - last;
        if (delta < INT16_MIN || delta > INT16_MAX) return i;
        symbols[i] = delta >= 0 && delta <= UINT8_MAX ? SMALL : LARGE;
        deltas[i] = (int16_t)delta;
        last = now;
    }
    return count;
}

static unsigned run_length(const uint8_t *symbols, unsigned count) {
    unsigned run = 1;
    while (run < count && symbols[run] == symbols[0]) run++;
    return run;
}

/* Returns the most symbols that one chunk covers: a run length, a vector of 14 1-bit symbols, or a vector of 7 2-bit symbols. */
static unsigned chunk_reach(const uint8_t *symbols, unsigned count) {
    unsigned bits = count < BITS_SYMBOLS ? count : BITS_SYMBOLS;
    unsigned reach = count < PAIRS_SYMBOLS ? count : PAIRS_SYMBOLS;
    bool large = false;
    for (unsigned i = 0; i < bits; i++) large |= symbols[i] == LARGE;
    if (!large) reach = bits;
    unsigned run = run_length(symbols, count);
    return run > reach ? run : reach;
}

/* Encodes `count` symbols, at most chunk_reach of them, in one chunk. Only the last chunk of a message may be a partly filled vector.
 * So one of 7 symbols or fewer uses 2-bit symbols, even where 1-bit symbols suffice. */
static uint16_t chunk_of(const uint8_t *symbols, unsigned count) {
    if (run_length(symbols, count) == count) return (uint16_t)((unsigned)symbols[0] << 13 | count);
    bool pairs = count <= PAIRS_SYMBOLS;
    unsigned chunk = pairs ? 0xC000 : 0x8000;
    for (unsigned i = 0; i < count; i++) chunk |= (unsigned)symbols[i] << (pairs ? 12 - 2 * i : 13 - i);
    return (uint16_t)chunk;
}

unsigned fw_rtcp_put_twcc(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_seq16,
                          uint8_t feedback_count, const int64_t *arrivals_us, unsigned count) {
    uint8_t symbols[FW_TWCC_MAX_PACKETS];
    int16_t deltas[FW_TWCC_MAX_PACKETS];
    uint16_t chunks[MAX_CHUNKS];
    unsigned limit = count < FW_TWCC_MAX_PACKETS ? count : FW_TWCC_MAX_PACKETS;
    unsigned first = 0;
    while (first < limit && arrivals_us[first] == FW_TWCC_LOST) first++;
    if (first == limit) return 0;
    int64_t reference = floor_div(arrivals_us[first], TICK_US * REFERENCE_TICKS);
    unsigned known = classify(arrivals_us, limit, reference * REFERENCE_TICKS, symbols, deltas);

    size_t room = (w->cap - w->len) & ~(size_t)3;
    size_t len = CHUNKS_AT;
    unsigned chunk_count = 0, written = 0;
    while (written < known) {
        unsigned reach = chunk_reach(symbols + written, known - written);
        size_t end = len + 2;
        unsigned fit = 0;
        while (fit < reach && end + symbols[written + fit] <= room) end += symbols[written + fit++];
        if (!fit) break;
        chunks[chunk_count++] = chunk_of(symbols + written, fit);
        len = end;
        written += fit;
        if (fit < reach) break;
    }
    if (!written) {
        w->overflow = true;
        return 0;
    }

    uint8_t *p = fw_rtcp_put(w, FW_RTCP_RTPFB, FW_RTPFB_TWCC, (len + 3) & ~(size_t)3);
    if (!p) return 0;
    uint8_t *end = w->out + w->len;
    fw_store32(p + 4, sender_ssrc);
    fw_store32(p + 8, media_ssrc);
    fw_store16(p + 12, base_seq16);
    fw_store16(p + 14, (uint16_t)written);
    fw_store24(p + 16, (uint32_t)reference & 0xFFFFFF);
    p[19] = feedback_count;
    p += CHUNKS_AT;
    for (unsigned i = 0; i < chunk_count; i++, p += 2) fw_store16(p, chunks[i]);
    for (unsigned i = 0; i < written; p += symbols[i++]) {
        if (symbols[i] == SMALL) *p = (uint8_t)deltas[i];
        if (symbols[i] == LARGE) fw_store16(p, (uint16_t)deltas[i]);
    }
    /* Zero bytes, not RTCP padding: RTCP padding is a multiple of 4 bytes (RFC 3550 section 6.4.1). */
    while (p < end) *p++ = 0;
    return written;
}

/* Decodes one chunk into at most `left` symbols. Returns the number of symbols. */
static unsigned read_chunk(uint16_t chunk, uint8_t *symbols, unsigned left) {
    unsigned n, i;
    if (!(chunk & 0x8000)) {
        n = chunk & RUN_MASK;
        if (n > left) n = left;
        memset(symbols, (chunk >> 13) & 3, n);
        return n;
    }
    bool pairs = chunk & 0x4000;
    n = pairs ? PAIRS_SYMBOLS : BITS_SYMBOLS;
    if (n > left) n = left;
    for (i = 0; i < n; i++) symbols[i] = pairs ? chunk >> (12 - 2 * i) & 3 : chunk >> (13 - i) & 1;
    return n;
}

bool fw_rtcp_twcc(const fw_rtcp_t *p, fw_twcc_t *out, int64_t *arrivals_us) {
    uint8_t symbols[FW_TWCC_MAX_PACKETS];
    if (p->type != FW_RTCP_RTPFB || p->count != FW_RTPFB_TWCC || p->len < CHUNKS_AT) return false;
    *out = (fw_twcc_t){
        .base_seq16 = fw_load16(p->data + 12),
        .count = fw_load16(p->data + 14),
        .feedback_count = p->data[19],
        .reference_us = (int64_t)fw_load24(p->data + 16) * REFERENCE_TICKS * TICK_US,
    };
    if (!out->count || out->count > FW_TWCC_MAX_PACKETS) return false;

    fw_reader_t r = fw_reader(p->data + CHUNKS_AT, p->len - CHUNKS_AT);
    for (unsigned done = 0; done < out->count;) {
        uint16_t chunk = fw_take16(&r);
        if (!r.ok) return false;
        done += read_chunk(chunk, symbols + done, out->count - done);
    }
    int64_t now = out->reference_us;
    for (unsigned i = 0; i < out->count; i++) {
        if (symbols[i] > LARGE) return false;
        if (symbols[i] == SMALL) now += (int64_t)fw_take8(&r) * TICK_US;
        if (symbols[i] == LARGE) now += (int64_t)(int16_t)fw_take16(&r) * TICK_US;
        arrivals_us[i] = symbols[i] == LOST ? FW_TWCC_LOST : now;
    }
    return r.ok;
}
