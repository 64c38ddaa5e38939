/* Declares the part of intel-ipsec-mb's ABI that is used. It differs between versions: only FW_IMB_VERSION is accepted.
 *
 * A test in tests/unit compares every number here with the real intel-ipsec-mb.h.
 */
#ifndef FW_CRYPTO_IPSEC_MB_ABI_H
#define FW_CRYPTO_IPSEC_MB_ABI_H

#include <stddef.h>
#include <stdint.h>

#define FW_IMB_VERSION 0x010300u /* in the format of imb_get_version(): major, minor, patch */
#define FW_IMB_GCM_KEY_BYTES 1008
#define FW_IMB_GCM_CONTEXT_BYTES 88
#define FW_IMB_AES128_KEY_BYTES 176

/* Feature bits of a manager. */
#define FW_IMB_AESNI (UINT64_C(1) << 1)
#define FW_IMB_PCLMULQDQ (UINT64_C(1) << 2)
#define FW_IMB_AESNI_EMULATED (UINT64_C(1) << 19)
#define FW_IMB_SELF_TESTED (UINT64_C(1) << 21)

enum { FW_IMB_CNTR = 2, FW_IMB_ENCRYPT = 1, FW_IMB_HMAC_SHA_1 = 1 };

/* Offsets into a manager, in bytes. */
enum {
    FW_IMB_FEATURES = 8,
    FW_IMB_KEYEXP_128 = 112,
    FW_IMB_GCM128_ENC = 256,
    FW_IMB_GCM256_ENC = 272,
    FW_IMB_GCM128_DEC = 280,
    FW_IMB_GCM256_DEC = 296,
    FW_IMB_GCM128_INIT = 304,
    FW_IMB_GCM256_INIT = 320,
    FW_IMB_GCM128_ENC_UPDATE = 328,
    FW_IMB_GCM256_ENC_UPDATE = 344,
    FW_IMB_GCM128_ENC_FINALIZE = 376,
    FW_IMB_GCM256_ENC_FINALIZE = 392,
    FW_IMB_GCM128_PRE = 448,
    FW_IMB_GCM256_PRE = 464,
    FW_IMB_CIPHER_BURST = 992,
    FW_IMB_HASH_BURST = 1008,
};

/* IMB_JOB. The caller sets the reserved bytes to 0. */
typedef struct {
    const void *enc_keys;
    const void *dec_keys;
    uint64_t key_len;
    const uint8_t *src;
    uint8_t *dst;
    uint64_t cipher_offset;
    uint64_t cipher_len;
    uint64_t hash_offset;
    uint64_t hash_len;
    const uint8_t *iv;
    uint64_t iv_len;
    uint8_t *tag;
    uint64_t tag_len;
    const void *inner_pad; /* the SHA-1 states after HMAC's padded keys */
    const void *outer_pad;
    uint8_t rest[80];
} fw_imb_job_t;

#endif
