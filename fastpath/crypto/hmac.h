/* Computes HMAC-SHA1 with a precomputed key (RFC 2104), for STUN's MESSAGE-INTEGRITY and for SRTP. */
#ifndef FW_CRYPTO_HMAC_H
#define FW_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_HMAC_BYTES 20

/* The SHA-1 states after each of the two padded keys. A computation needs no key setup; a key takes 40 bytes. */
typedef struct {
    uint32_t inner[5];
    uint32_t outer[5];
} fw_hmac_t;

/* Precomputes a key of any length. False where the library fails. */
bool fw_hmac_init(fw_hmac_t *hmac, const uint8_t *key, size_t len);

/* Writes the HMAC-SHA1 of `head` followed by `tail` to `out`, FW_HMAC_BYTES. False where the library fails. */
bool fw_hmac_compute(const fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                     uint8_t *out);

/* Returns whether two tags are equal, in constant time. */
bool fw_tag_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
