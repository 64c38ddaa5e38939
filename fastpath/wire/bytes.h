/* Loads and stores big-endian numbers, and reads bytes within a bound.
 *
 * A read past the end sets `ok` to false; it and every later read return 0 or NULL. So a parser may check `ok` once.
 */
#ifndef FW_WIRE_BYTES_H
#define FW_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t fw_load16(const uint8_t *p) { return (uint16_t)((p[0] << 8) | p[1]); }
static inline uint32_t fw_load24(const uint8_t *p) { return ((uint32_t)p[0] << 16) | ((uint32_t)p[1] << 8) | p[2]; }
static inline uint32_t fw_load32(const uint8_t *p) { return ((uint32_t)fw_load16(p) << 16) | fw_load16(p + 2); }
static inline uint64_t fw_load64(const uint8_t *p) { return ((uint64_t)fw_load32(p) << 32) | fw_load32(p + 4); }

static inline void fw_store16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void fw_store24(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}
static inline void fw_store32(uint8_t *p, uint32_t v) {
    fw_store16(p, (uint16_t)(v >> 16));
    fw_store16(p + 2, (uint16_t)v);
}
static inline void fw_store64(uint8_t *p, uint64_t v) {
    fw_store32(p, (uint32_t)(v >> 32));
    fw_store32(p + 4, (uint32_t)v);
}

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool ok; /* false once a read went past `end` */
} fw_reader_t;

static inline fw_reader_t fw_reader(const uint8_t *data, size_t len) {
    return (fw_reader_t){.at = data, .end = data + len, .ok = true};
}
static inline size_t fw_left(const fw_reader_t *r) { return (size_t)(r->end - r->at); }

/* Reads `n` bytes. Returns NULL and sets `ok` to false where fewer are left. */
static inline const uint8_t *fw_take(fw_reader_t *r, size_t n) {
    if (!r->ok || fw_left(r) < n) {
        r->ok = false;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}
static inline uint8_t fw_take8(fw_reader_t *r) {
    const uint8_t *p = fw_take(r, 1);
    return p ? *p : 0;
}
static inline uint16_t fw_take16(fw_reader_t *r) {
    const uint8_t *p = fw_take(r, 2);
    return p ? fw_load16(p) : 0;
}
static inline uint32_t fw_take32(fw_reader_t *r) {
    const uint8_t *p = fw_take(r, 4);
    return p ? fw_load32(p) : 0;
}

#endif
