/* Derives SRTP and SRTCP session keys, and computes a packet's IV from its index (RFC 3711 section 4, RFC 7714). */
#ifndef FW_CRYPTO_SESSION_KEYS_H
#define FW_CRYPTO_SESSION_KEYS_H

#include "backend.h"
#include "hmac.h"

/* The session keys of one flow. They have no pointers, so they can be saved and restored. The field that each packet reads is first.
 * */
typedef struct {
    uint8_t salt[FW_CM_IV_BYTES]; /* 12 bytes for GCM, 14 for AES-CM, then zeros */
    uint8_t cipher[32];           /* 16 bytes for AES-128 */
} fw_session_keys_t;

/* The first of the three labels of a protocol (RFC 3711 section 4.3.2). */
typedef enum { FW_LABELS_RTP = 0, FW_LABELS_RTCP = 3 } fw_labels_t;

/* Derives the session keys for `labels` from `master`, a master key followed by its salt. For AES-CM also sets `auth`, the HMAC key;
 * other profiles ignore `auth`. False where the library fails. */
bool fw_session_keys_derive(fw_session_keys_t *keys, fw_hmac_t *auth, fw_crypto_t *crypto, fw_srtp_profile_t profile,
                            fw_labels_t labels, const uint8_t *master);

/* Computes the IV of RFC 7714 sections 8.1 and 9.1. An SRTCP index is below 2^31. */
void fw_gcm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_GCM_IV_BYTES]);

/* Computes the first counter block of RFC 3711 section 4.1.1. */
void fw_cm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_CM_IV_BYTES]);

#endif
