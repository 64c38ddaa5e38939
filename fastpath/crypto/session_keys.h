/* The keys of SRTP and SRTCP in one direction, and what they make of a packet's number (RFC 3711 section 4, RFC 7714). */
#ifndef FW_CRYPTO_SESSION_KEYS_H
#define FW_CRYPTO_SESSION_KEYS_H

#include "backend.h"
#include "hmac.h"

/* Plain: it can be written out and read back. What each packet takes comes first. */
typedef struct {
    uint8_t salt[FW_CM_IV_BYTES]; /* 12 bytes for GCM, 14 for AES-CM, then zeros */
    uint8_t cipher[32];           /* 16 bytes for AES-128 */
} fw_session_keys_t;

/* Where the labels of RFC 3711 section 4.3.2 start. */
typedef enum { FW_LABELS_RTP = 0, FW_LABELS_RTCP = 3 } fw_labels_t;

/* Derives what `labels` name from a master key and its salt, and AES-CM's authentication into `auth`, which no other profile
 * has; false where the library fails. */
bool fw_session_keys_derive(fw_session_keys_t *keys, fw_hmac_t *auth, fw_crypto_t *crypto, fw_srtp_profile_t profile,
                            fw_labels_t labels, const uint8_t *master);

/* The nonce of RFC 7714 sections 8.1 and 9.1; an SRTCP index is below 2^31. */
void fw_gcm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_GCM_IV_BYTES]);

/* The first counter block of RFC 3711 section 4.1.1. */
void fw_cm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_CM_IV_BYTES]);

#endif
