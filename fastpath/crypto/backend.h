/* The interface of a cipher backend: `ipsec_mb.c` on x86-64 machines with intel-ipsec-mb, `libcrypto.c` on all machines. */
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

/* DTLS-SRTP protection profiles with their IANA numbers (RFC 5764 section 4.1.2, RFC 7714 section 14.2). */
#define FW_SRTP_PROFILES(X)      \
    X(AES128_CM_SHA1_80, 0x0001) \
    X(AEAD_AES_128_GCM, 0x0007)  \
    X(AEAD_AES_256_GCM, 0x0008)
#define FW_SRTP_PROFILE(name, number) FW_SRTP_##name = number,
typedef enum { FW_SRTP_PROFILES(FW_SRTP_PROFILE) } fw_srtp_profile_t;

/* One AES-GCM message in three parts: `prefix_len` bytes already at `out`, `len` bytes read from `in` and written after the prefix
 * (`in` may be that address), and `suffix_len` bytes already after those. Each length may be 0. */
typedef struct {
    const uint8_t *header; /* additional authenticated data */
    const uint8_t *in;
    uint8_t *out;
    uint8_t *tag; /* FW_GCM_TAG_BYTES: written when sealing, compared when opening */
    uint32_t header_len;
    uint32_t prefix_len;
    uint32_t len;
    uint32_t suffix_len;
    uint8_t iv[FW_GCM_IV_BYTES];
} fw_gcm_t;

/* One message for AES in counter mode (`ctr`) and for HMAC-SHA1 (`hmac`), which are separate steps. `out` may equal `in`; `len` may
 * be 0. */
typedef struct {
    const void *key; /* expanded */
    const uint8_t *in;
    uint8_t *out;
    const fw_hmac_t *auth;
    const uint8_t *covered; /* the bytes that the HMAC authenticates */
    uint32_t covered_len;
    uint32_t len;
    uint8_t iv[FW_CM_IV_BYTES]; /* the first counter block */
    uint8_t tag[FW_HMAC_BYTES]; /* result of `hmac` */
} fw_cm_t;

/* `own` is the result of `open`; one thread uses it. A function that returns a bool returns false where the library fails. */
typedef struct {
    const char *name;
    /* Returns NULL where this machine supports the backend, else the reason in English. Sets `version`. */
    const char *(*find)(char version[FW_BACKEND_VERSION_BYTES]);
    void *(*open)(void); /* NULL where memory is short */
    void (*close)(void *own);

    /* Expands a key for many messages, into `key_bytes` bytes at a multiple of 64. `forget` releases it. */
    size_t (*key_bytes)(fw_srtp_profile_t profile);
    bool (*expand)(fw_srtp_profile_t profile, const uint8_t *key, void *expanded);
    void (*forget)(void *expanded);
    /* Expands a rarely used key. The result is valid until the next call; NULL where the library fails. */
    const void *(*lend)(void *own, fw_srtp_profile_t profile, const uint8_t *key);

    bool (*gcm_seal)(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *message);
    bool (*gcm_open)(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *message); /* false also for a wrong tag;
                                                                                              takes no prefix or suffix */
    bool (*ctr)(void *own, const fw_cm_t *messages, size_t count);
    bool (*hmac)(void *own, fw_cm_t *messages, size_t count);
    /* Writes the first `len` bytes (at most 32) of the AES counter mode keystream, for key derivation. `key_len` is 16 or 32. */
    bool (*keystream)(void *own, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len);
} fw_backend_t;

extern const fw_backend_t fw_backend_libcrypto;
extern const fw_backend_t fw_backend_ipsec_mb;

/* A backend opened for one thread; all SRTP contexts of that thread share it. */
typedef struct {
    const fw_backend_t *backend;
    void *own;
} fw_crypto_t;

#endif
