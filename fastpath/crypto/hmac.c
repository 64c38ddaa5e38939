#include "hmac.h"

#include <string.h>

#include "library.h"

enum { BLOCK_BYTES = 64 };

static bool hash_pad(uint32_t state[5], const uint8_t *key, uint8_t pad) {
    uint8_t block[BLOCK_BYTES];
    fw_sha1_t sha1;
    for (size_t i = 0; i < sizeof block; i++) block[i] = key[i] ^ pad;
    if (!fw_libcrypto.SHA1_Init(&sha1) || !fw_libcrypto.SHA1_Update(&sha1, block, sizeof block)) return false;
    memcpy(state, sha1.state, sizeof sha1.state);
    return true;
}

bool fw_hmac_init(fw_hmac_t *hmac, const uint8_t *key, size_t len) {
    uint8_t block[BLOCK_BYTES] = {0};
    if (len <= sizeof block) {
        if (len > 0) memcpy(block, key, len);
    } else {
        fw_sha1_t sha1;
        if (!fw_libcrypto.SHA1_Init(&sha1) || !fw_libcrypto.SHA1_Update(&sha1, key, len) || !fw_libcrypto.SHA1_Final(block, &sha1))
            return false;
    }
    return hash_pad(hmac->inner, block, 0x36) && hash_pad(hmac->outer, block, 0x5c);
}

/* Resumes SHA-1 after the padded key, which is one block. */
static fw_sha1_t after_pad(const uint32_t state[5]) {
    fw_sha1_t sha1 = {.bits_low = BLOCK_BYTES * 8};
    memcpy(sha1.state, state, sizeof sha1.state);
    return sha1;
}

bool fw_hmac_compute(const fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                     uint8_t *out) {
    fw_sha1_t sha1 = after_pad(hmac->inner);
    if (!fw_libcrypto.SHA1_Update(&sha1, head, head_len)) return false;
    if (tail_len > 0 && !fw_libcrypto.SHA1_Update(&sha1, tail, tail_len)) return false;
    if (!fw_libcrypto.SHA1_Final(out, &sha1)) return false;
    sha1 = after_pad(hmac->outer);
    return fw_libcrypto.SHA1_Update(&sha1, out, FW_HMAC_BYTES) && fw_libcrypto.SHA1_Final(out, &sha1);
}

bool fw_tag_equal(const uint8_t *a, const uint8_t *b, size_t len) {
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++) difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}
