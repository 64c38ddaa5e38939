/* Computes the CRC-32 of ITU-T V.42; STUN's FINGERPRINT is this value XOR 0x5354554E (RFC 8489 section 14.7). */
#ifndef FW_WIRE_CRC32_H
#define FW_WIRE_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t fw_crc32(const uint8_t *data, size_t len);

#endif
