/* Resolves the functions of OpenSSL's libcrypto once, at start.
 *
 * Nothing is linked at build time: the shared object of the `pylibsrtp` wheel contains a libcrypto. So a build needs no more
 * than a C compiler.
 */
#ifndef FW_CRYPTO_LIBRARY_H
#define FW_CRYPTO_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA_CTX of openssl/sha.h: part of its ABI since 0.9.7. */
typedef struct {
    uint32_t state[5];
    uint32_t bits_low;
    uint32_t bits_high;
    uint32_t block[16];
    unsigned used;
} fw_sha1_t;

/* OSSL_PARAM of openssl/core.h. */
typedef struct {
    const char *key;
    unsigned type;
    void *data;
    size_t size;
    size_t written;
} fw_ossl_param_t;

#define FW_OSSL_OCTETS 5

typedef struct {
    const char *(*OpenSSL_version)(int which);
    const void *(*EVP_aes_128_gcm)(void);
    const void *(*EVP_aes_256_gcm)(void);
    const void *(*EVP_aes_128_ctr)(void);
    const void *(*EVP_aes_256_ctr)(void);
    void *(*EVP_CIPHER_CTX_new)(void);
    void (*EVP_CIPHER_CTX_free)(void *context);
    int (*EVP_CIPHER_CTX_ctrl)(void *context, int what, int len, void *data);
    int (*EVP_CIPHER_CTX_get_params)(void *context, fw_ossl_param_t *params);
    int (*EVP_CipherInit_ex)(void *context, const void *cipher, void *engine, const uint8_t *key, const uint8_t *iv,
                             int encrypt);
    int (*EVP_CipherUpdate)(void *context, uint8_t *out, int *out_len, const uint8_t *in, int len);
    int (*EVP_CipherFinal_ex)(void *context, uint8_t *out, int *out_len);
    int (*SHA1_Init)(fw_sha1_t *sha1);
    int (*SHA1_Update)(fw_sha1_t *sha1, const void *data, size_t len);
    int (*SHA1_Final)(uint8_t *out, fw_sha1_t *sha1);
} fw_libcrypto_t;

extern fw_libcrypto_t fw_libcrypto;

/* Resolves all functions from the shared object at `path`; where it lacks one, resolves all from the system's libcrypto.so.3. Call
 * once, before any thread uses the rest of this folder. On false, `missing` is the first symbol that libcrypto.so.3 lacks, or
 * "libcrypto.so.3" where it cannot be opened. */
bool fw_libcrypto_load(const char *path, const char **missing);

#endif
