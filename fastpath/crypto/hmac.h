/* HMAC-SHA1 with a key that stays (RFC 2104), for STUN's message integrity. */
#ifndef FW_CRYPTO_HMAC_H
#define FW_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_HMAC_BYTES 20

typedef struct fw_hmac fw_hmac_t; /* libcrypto's HMAC_CTX: keeps the hashed pads, so that one use costs no key set-up */

/* NULL where memory is short. Not shared between threads. */
fw_hmac_t *fw_hmac_create(const uint8_t *key, size_t len);
void fw_hmac_destroy(fw_hmac_t *hmac);

/* HMAC-SHA1 over `head` then `tail` into 20 bytes; false where the library fails. */
bool fw_hmac_compute(fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                     uint8_t *out);

/* Whether two tags of FW_HMAC_BYTES are equal, in a time that does not depend on where they differ. */
bool fw_hmac_equal(const uint8_t *a, const uint8_t *b);

#endif
