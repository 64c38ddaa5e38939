/* HMAC-SHA1 with a key that stays (RFC 2104), for STUN's message integrity and for SRTP. */
#ifndef FW_CRYPTO_HMAC_H
#define FW_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_HMAC_BYTES 20

/* SHA-1's state behind each of the two padded keys: one use costs no key set-up, and a key kept is 40 bytes. */
typedef struct {
    uint32_t inner[5];
    uint32_t outer[5];
} fw_hmac_t;

/* False where the library fails. */
bool fw_hmac_init(fw_hmac_t *hmac, const uint8_t *key, size_t len);

/* HMAC-SHA1 over `head` then `tail` into FW_HMAC_BYTES; false where the library fails. */
bool fw_hmac_compute(const fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                     uint8_t *out);

/* Whether two tags are equal, in a time that does not depend on where they differ. */
bool fw_tag_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
