/* What a source of ciphers has to offer: `ipsec_mb.c` on x86-64 machines that have the library, `libcrypto.c` everywhere. */
#ifndef FW_CRYPTO_BACKEND_H
#define FW_CRYPTO_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmac.h"

#define FW_GCM_IV_BYTES 12
#define FW_GCM_TAG_BYTES 16
#define FW_CM_IV_BYTES 16
#define FW_BACKEND_VERSION_BYTES 64
#define FW_BACKEND_WHY_BYTES 256

/* IANA's numbers (RFC 5764 section 4.1.2, RFC 7714 section 14.2). */
#define FW_SRTP_PROFILES(X)      \
    X(AES128_CM_SHA1_80, 0x0001) \
    X(AEAD_AES_128_GCM, 0x0007)  \
    X(AEAD_AES_256_GCM, 0x0008)
#define FW_SRTP_PROFILE(name, number) FW_SRTP_##name = number,
typedef enum { FW_SRTP_PROFILES(FW_SRTP_PROFILE) } fw_srtp_profile_t;

/* One message of AES-GCM: `prefix_len` bytes that are in their place at `out`, `len` bytes that come from `in` (which may
 * be where they go), and `suffix_len` bytes in their place behind. Each may be 0. */
typedef struct {
    const uint8_t *header; /* authenticated only */
    const uint8_t *in;
    uint8_t *out;
    uint8_t *tag; /* FW_GCM_TAG_BYTES: written when sealing, compared when opening */
    uint32_t header_len;
    uint32_t prefix_len;
    uint32_t len;
    uint32_t suffix_len;
    uint8_t iv[FW_GCM_IV_BYTES];
} fw_gcm_t;

/* One message of AES in counter mode and of HMAC-SHA1, which are two steps; `out` may be `in`, and `len` 0. */
typedef struct {
    const void *key; /* expanded */
    const uint8_t *in;
    uint8_t *out;
    const fw_hmac_t *auth;
    const uint8_t *covered; /* what the HMAC is over */
    uint32_t covered_len;
    uint32_t len;
    uint8_t iv[FW_CM_IV_BYTES]; /* the first counter block */
    uint8_t tag[FW_HMAC_BYTES]; /* the HMAC is written here */
} fw_cm_t;

/* `own` is what `open` made: one thread's. Where a function gives a bool, false says that the library failed. */
typedef struct {
    const char *name;
    /* NULL where this backend serves on this machine, else in words why it does not. */
    const char *(*find)(char version[FW_BACKEND_VERSION_BYTES]);
    void *(*open)(void); /* NULL where memory is short */
    void (*close)(void *own);

    /* A key kept ready for many messages, in `key_bytes` at an address that 64 divides. */
    size_t (*key_bytes)(fw_srtp_profile_t profile);
    bool (*expand)(fw_srtp_profile_t profile, const uint8_t *key, void *expanded);
    void (*forget)(void *expanded);
    /* The same for a key seldom used; valid until the next call. NULL where the library fails. */
    const void *(*lend)(void *own, fw_srtp_profile_t profile, const uint8_t *key);

    bool (*gcm_seal)(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *message);
    bool (*gcm_open)(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *message); /* false for a wrong tag, too;
                                                                                              no prefix, no suffix */
    bool (*ctr)(void *own, const fw_cm_t *messages, size_t count);
    bool (*hmac)(void *own, fw_cm_t *messages, size_t count);
    /* The start of the keystream of AES in counter mode, for key derivation; `key_len` is 16 or 32, `len` at most 32. */
    bool (*keystream)(void *own, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len);
} fw_backend_t;

extern const fw_backend_t fw_backend_libcrypto;
extern const fw_backend_t fw_backend_ipsec_mb;

/* A backend made ready for one thread: all contexts of that thread share it. */
typedef struct {
    const fw_backend_t *backend;
    void *own;
} fw_crypto_t;

#endif
