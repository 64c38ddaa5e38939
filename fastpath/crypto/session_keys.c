#include "session_keys.h"

#include <string.h>

#include "octets.h"

enum { AUTH_KEY_BYTES = 20, LABEL_AT = 7 };

/* Derives `len` bytes for a label of RFC 3711 section 4.3.1: the keystream whose IV is the master salt, padded with zeros, XOR the
 * label. */
static bool derive(fw_crypto_t *crypto, const uint8_t *master, size_t key_len, size_t salt_len, unsigned label,
                   uint8_t *out, size_t len) {
    uint8_t iv[FW_CM_IV_BYTES] = {0};
    memcpy(iv, master + key_len, salt_len);
    iv[LABEL_AT] ^= (uint8_t)label;
    return crypto->backend->keystream(crypto->own, master, key_len, iv, out, len);
}

bool fw_session_keys_derive(fw_session_keys_t *keys, fw_hmac_t *auth, fw_crypto_t *crypto, fw_srtp_profile_t profile,
                            fw_labels_t labels, const uint8_t *master) {
    bool cm = profile == FW_SRTP_AES128_CM_SHA1_80;
    size_t key_len = profile == FW_SRTP_AEAD_AES_256_GCM ? 32 : 16, salt_len = cm ? 14 : 12;
    uint8_t auth_key[AUTH_KEY_BYTES];
    memset(keys, 0, sizeof *keys);
    return derive(crypto, master, key_len, salt_len, labels, keys->cipher, key_len) &&
           derive(crypto, master, key_len, salt_len, labels + 2U, keys->salt, salt_len) &&
           (!cm || (derive(crypto, master, key_len, salt_len, labels + 1U, auth_key, sizeof auth_key) &&
                    fw_hmac_init(auth, auth_key, sizeof auth_key)));
}

void fw_gcm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_GCM_IV_BYTES]) {
    memcpy(iv, keys->salt, 2);
    fw_put32(iv + 2, fw_get32(keys->salt + 2) ^ ssrc);
    fw_put16(iv + 6, (uint16_t)(fw_get16(keys->salt + 6) ^ index >> 32));
    fw_put32(iv + 8, fw_get32(keys->salt + 8) ^ (uint32_t)index);
}

void fw_cm_iv(const fw_session_keys_t *keys, uint32_t ssrc, uint64_t index, uint8_t iv[FW_CM_IV_BYTES]) {
    memcpy(iv, keys->salt, FW_CM_IV_BYTES);
    fw_put32(iv + 4, fw_get32(iv + 4) ^ ssrc);
    fw_put16(iv + 8, (uint16_t)(fw_get16(iv + 8) ^ index >> 32));
    fw_put32(iv + 10, fw_get32(iv + 10) ^ (uint32_t)index);
}
