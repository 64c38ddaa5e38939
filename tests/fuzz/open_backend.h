/* A backend for fuzzing whose ciphers change nothing and whose tags are zeros, so that what lies behind them is reached.
 * It reads whatever a real one would read, for a sanitizer to see.
 */
#ifndef FW_TESTS_FUZZ_OPEN_BACKEND_H
#define FW_TESTS_FUZZ_OPEN_BACKEND_H

#include "crypto/choose.h"
#include "crypto/library.h"
#include "fuzz.h"

enum { OPEN_KEY_BYTES = 16 };

/* Reads all of it; true where it is zeros. */
static inline bool open_touch(const void *data, size_t len) {
    uint8_t all = 0;
    for (size_t i = 0; i < len; i++) all |= ((const uint8_t *)data)[i];
    return all == 0;
}

static inline size_t open_key_bytes(fw_srtp_profile_t profile) {
    (void)profile;
    return OPEN_KEY_BYTES;
}

static inline bool open_expand(fw_srtp_profile_t profile, const uint8_t *key, void *expanded) {
    (void)profile;
    memcpy(expanded, key, OPEN_KEY_BYTES);
    return true;
}

static inline void open_forget(void *expanded) { (void)expanded; }

/* A lent key is zeros. */
static inline void *open_own(void) { return calloc(1, OPEN_KEY_BYTES); }

static inline const void *open_lend(void *own, fw_srtp_profile_t profile, const uint8_t *key) {
    (void)profile;
    (void)open_touch(key, OPEN_KEY_BYTES);
    return own;
}

static inline bool open_gcm(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    (void)profile;
    (void)key;
    (void)open_touch(m->header, m->header_len);
    (void)open_touch(m->in, m->len);
    return open_touch(m->tag, FW_GCM_TAG_BYTES);
}

static inline bool open_ctr(void *own, const fw_cm_t *messages, size_t count) {
    (void)own;
    for (size_t i = 0; i < count; i++) (void)open_touch(messages[i].in, messages[i].len);
    return true;
}

static inline bool open_hmac(void *own, fw_cm_t *messages, size_t count) {
    (void)own;
    for (size_t i = 0; i < count; i++) {
        (void)open_touch(messages[i].covered, messages[i].covered_len);
        memset(messages[i].tag, 0, FW_HMAC_BYTES);
    }
    return true;
}

static inline bool open_keystream(void *own, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len) {
    (void)own;
    (void)open_touch(key, key_len);
    (void)open_touch(iv, FW_CM_IV_BYTES);
    memset(out, 0, len);
    return true;
}

static inline int open_sha1_init(fw_sha1_t *sha1) {
    memset(sha1, 0, sizeof *sha1);
    return 1;
}

static inline int open_sha1_update(fw_sha1_t *sha1, const void *data, size_t len) {
    (void)sha1;
    (void)open_touch(data, len);
    return 1;
}

static inline int open_sha1_final(uint8_t *out, fw_sha1_t *sha1) {
    (void)sha1;
    memset(out, 0, FW_HMAC_BYTES);
    return 1;
}

/* The backend, to be changed where a target needs another part; SHA-1 with it. */
static inline fw_backend_t open_backend(void) {
    fw_libcrypto.SHA1_Init = open_sha1_init;
    fw_libcrypto.SHA1_Update = open_sha1_update;
    fw_libcrypto.SHA1_Final = open_sha1_final;
    return (fw_backend_t){
        .name = "open",
        .open = open_own,
        .close = free,
        .key_bytes = open_key_bytes,
        .expand = open_expand,
        .forget = open_forget,
        .lend = open_lend,
        .gcm_open = open_gcm,
        .ctr = open_ctr,
        .hmac = open_hmac,
        .keystream = open_keystream,
    };
}

#endif
