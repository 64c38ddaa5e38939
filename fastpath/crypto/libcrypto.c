#include <stdlib.h>
#include <string.h>

#include "append.h"
#include "backend.h"
#include "library.h"

enum { CTRL_SET_TAG = 0x11, KEEP_DIRECTION = -1 };

/* Cipher contexts whose key is set before each use. */
typedef struct {
    void *gcm128;
    void *gcm256;
    void *ctr128;
    void *ctr256;
} own_t;

static const char *find(char version[FW_BACKEND_VERSION_BYTES]) {
    fw_append(version, FW_BACKEND_VERSION_BYTES, fw_libcrypto.OpenSSL_version(0));
    return NULL;
}

static void *context_of(const void *cipher) {
    void *context = fw_libcrypto.EVP_CIPHER_CTX_new();
    if (context != NULL && fw_libcrypto.EVP_CipherInit_ex(context, cipher, NULL, NULL, NULL, 1)) return context;
    fw_libcrypto.EVP_CIPHER_CTX_free(context);
    return NULL;
}

static void close_own(void *opened) {
    own_t *own = opened;
    fw_libcrypto.EVP_CIPHER_CTX_free(own->gcm128);
    fw_libcrypto.EVP_CIPHER_CTX_free(own->gcm256);
    fw_libcrypto.EVP_CIPHER_CTX_free(own->ctr128);
    fw_libcrypto.EVP_CIPHER_CTX_free(own->ctr256);
    free(own);
}

static void *open_own(void) {
    own_t *own = malloc(sizeof *own);
    if (own == NULL) return NULL;
    own->gcm128 = context_of(fw_libcrypto.EVP_aes_128_gcm());
    own->gcm256 = context_of(fw_libcrypto.EVP_aes_256_gcm());
    own->ctr128 = context_of(fw_libcrypto.EVP_aes_128_ctr());
    own->ctr256 = context_of(fw_libcrypto.EVP_aes_256_ctr());
    if (own->gcm128 != NULL && own->gcm256 != NULL && own->ctr128 != NULL && own->ctr256 != NULL) return own;
    close_own(own);
    return NULL;
}

static const void *cipher_of(fw_srtp_profile_t profile) {
    switch (profile) {
        case FW_SRTP_AEAD_AES_128_GCM: return fw_libcrypto.EVP_aes_128_gcm();
        case FW_SRTP_AEAD_AES_256_GCM: return fw_libcrypto.EVP_aes_256_gcm();
        default: return fw_libcrypto.EVP_aes_128_ctr();
    }
}

/* An expanded key is a pointer to an EVP_CIPHER_CTX. */
static size_t key_bytes(fw_srtp_profile_t profile) {
    (void)profile;
    return sizeof(void *);
}

static bool expand(fw_srtp_profile_t profile, const uint8_t *key, void *expanded) {
    void *context = context_of(cipher_of(profile));
    memcpy(expanded, &context, sizeof context);
    return context != NULL && fw_libcrypto.EVP_CipherInit_ex(context, NULL, NULL, key, NULL, KEEP_DIRECTION);
}

static void forget(void *expanded) { fw_libcrypto.EVP_CIPHER_CTX_free(*(void **)expanded); }

static const void *lend(void *opened, fw_srtp_profile_t profile, const uint8_t *key) {
    own_t *own = opened;
    void **context = profile == FW_SRTP_AEAD_AES_128_GCM   ? &own->gcm128
                     : profile == FW_SRTP_AEAD_AES_256_GCM ? &own->gcm256
                                                           : &own->ctr128;
    return fw_libcrypto.EVP_CipherInit_ex(*context, NULL, NULL, key, NULL, KEEP_DIRECTION) ? context : NULL;
}

static void *context_at(const void *key) { return *(void *const *)key; }

static bool begin_gcm(void *context, const fw_gcm_t *m, int encrypt) {
    int len;
    return fw_libcrypto.EVP_CipherInit_ex(context, NULL, NULL, NULL, m->iv, encrypt) &&
           fw_libcrypto.EVP_CipherUpdate(context, NULL, &len, m->header, (int)m->header_len);
}

static bool update(void *context, uint8_t *out, const uint8_t *in, uint32_t bytes) {
    int len;
    return bytes == 0 || fw_libcrypto.EVP_CipherUpdate(context, out, &len, in, (int)bytes);
}

static bool gcm_seal(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    void *context = context_at(key);
    int len;
    (void)profile;
    uint8_t *body = m->out + m->prefix_len, *suffix = body + m->len;
    fw_ossl_param_t tag[] = {{.key = "tag", .type = FW_OSSL_OCTETS, .data = m->tag, .size = FW_GCM_TAG_BYTES}, {0}};
    return begin_gcm(context, m, 1) && update(context, m->out, m->out, m->prefix_len) &&
           update(context, body, m->in, m->len) && update(context, suffix, suffix, m->suffix_len) &&
           fw_libcrypto.EVP_CipherFinal_ex(context, suffix, &len) &&
           fw_libcrypto.EVP_CIPHER_CTX_get_params(context, tag);
}

static bool gcm_open(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    void *context = context_at(key);
    int len;
    (void)profile;
    return begin_gcm(context, m, 0) && update(context, m->out, m->in, m->len) &&
           fw_libcrypto.EVP_CIPHER_CTX_ctrl(context, CTRL_SET_TAG, FW_GCM_TAG_BYTES, m->tag) &&
           fw_libcrypto.EVP_CipherFinal_ex(context, m->out, &len);
}

static bool ctr(void *own, const fw_cm_t *messages, size_t count) {
    bool good = true;
    int len;
    (void)own;
    for (const fw_cm_t *m = messages; m < messages + count; m++) {
        void *context = context_at(m->key);
        good = fw_libcrypto.EVP_CipherInit_ex(context, NULL, NULL, NULL, m->iv, KEEP_DIRECTION) && good;
        if (m->len > 0) good = fw_libcrypto.EVP_CipherUpdate(context, m->out, &len, m->in, (int)m->len) && good;
    }
    return good;
}

static bool hmac(void *own, fw_cm_t *messages, size_t count) {
    bool good = true;
    (void)own;
    for (fw_cm_t *m = messages; m < messages + count; m++)
        good = fw_hmac_compute(m->auth, m->covered, m->covered_len, NULL, 0, m->tag) && good;
    return good;
}

static bool keystream(void *opened, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len) {
    static const uint8_t zeros[32];
    const own_t *own = opened;
    void *context = key_len == 32 ? own->ctr256 : own->ctr128;
    int written;
    return fw_libcrypto.EVP_CipherInit_ex(context, NULL, NULL, key, iv, KEEP_DIRECTION) &&
           fw_libcrypto.EVP_CipherUpdate(context, out, &written, zeros, (int)len);
}

const fw_backend_t fw_backend_libcrypto = {
    .name = "libcrypto",
    .find = find,
    .open = open_own,
    .close = close_own,
    .key_bytes = key_bytes,
    .expand = expand,
    .forget = forget,
    .lend = lend,
    .gcm_seal = gcm_seal,
    .gcm_open = gcm_open,
    .ctr = ctr,
    .hmac = hmac,
    .keystream = keystream,
};
