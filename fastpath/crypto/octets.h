/* Reads and writes numbers in network byte order at any address. */
#ifndef FW_CRYPTO_OCTETS_H
#define FW_CRYPTO_OCTETS_H

#include <stdint.h>

static inline uint16_t fw_get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t fw_get32(const uint8_t *at) { return (uint32_t)fw_get16(at) << 16 | fw_get16(at + 2); }

static inline void fw_put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void fw_put32(uint8_t *at, uint32_t value) {
    fw_put16(at, (uint16_t)(value >> 16));
    fw_put16(at + 2, (uint16_t)value);
}

#endif
