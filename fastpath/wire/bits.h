/* Reads bit fields of codec headers within a bound.
 *
 * A read past the end sets `ok` to false; it and every later read return 0, as with fw_reader_t.
 */
#ifndef FW_WIRE_BITS_H
#define FW_WIRE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    size_t at;  /* position, in bits */
    size_t end; /* length of `data`, in bits */
    bool ok;
} fw_bits_t;

static inline fw_bits_t fw_bits(const uint8_t *data, size_t len) {
    return (fw_bits_t){.data = data, .end = len * 8, .ok = true};
}

/* Reads `n` (0-32) bits, most significant first. */
static inline uint32_t fw_take_bits(fw_bits_t *b, unsigned n) {
    if (!b->ok || b->end - b->at < n) {
        b->ok = false;
        return 0;
    }
    uint32_t value = 0;
    while (n > 0) {
        unsigned left = 8 - (unsigned)(b->at % 8), taken = n < left ? n : left;
        value = value << taken | (b->data[b->at / 8] >> (left - taken) & ((1u << taken) - 1));
        b->at += taken;
        n -= taken;
    }
    return value;
}
static inline bool fw_take_flag(fw_bits_t *b) { return fw_take_bits(b, 1); }

/* Reads an Exp-Golomb number: ue(v) of H.264 section 9.1, uvlc() of AV1 section 4.10.3. A value over 32 bits is an error. */
static inline uint32_t fw_take_ue(fw_bits_t *b) {
    unsigned zeros = 0;
    while (b->ok && !fw_take_flag(b)) zeros++;
    if (zeros > 31) b->ok = false;
    return b->ok ? (uint32_t)((1ull << zeros) - 1 + fw_take_bits(b, zeros)) : 0;
}

#endif
