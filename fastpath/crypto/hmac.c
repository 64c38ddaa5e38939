#include "hmac.h"

#include "library.h"

fw_hmac_t *fw_hmac_create(const uint8_t *key, size_t len) {
    void *context = fw_crypto.HMAC_CTX_new();
    if (context == NULL) return NULL;
    if (!fw_crypto.HMAC_Init_ex(context, key, (int)len, fw_crypto.EVP_sha1(), NULL)) {
        fw_crypto.HMAC_CTX_free(context);
        return NULL;
    }
    return (fw_hmac_t *)context;
}

void fw_hmac_destroy(fw_hmac_t *hmac) {
    if (hmac != NULL) fw_crypto.HMAC_CTX_free(hmac);
}

bool fw_hmac_compute(fw_hmac_t *hmac, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                     uint8_t *out) {
    unsigned len = 0;
    /* Without a key, HMAC_Init_ex starts again from the pads already hashed. */
    return fw_crypto.HMAC_Init_ex(hmac, NULL, 0, NULL, NULL) && fw_crypto.HMAC_Update(hmac, head, head_len) &&
           fw_crypto.HMAC_Update(hmac, tail, tail_len) && fw_crypto.HMAC_Final(hmac, out, &len) &&
           len == FW_HMAC_BYTES;
}

bool fw_hmac_equal(const uint8_t *a, const uint8_t *b) {
    uint8_t difference = 0;
    for (size_t i = 0; i < FW_HMAC_BYTES; i++) difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}
