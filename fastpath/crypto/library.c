#include "library.h"

#include <dlfcn.h>
#include <string.h>

fw_libcrypto_t fw_libcrypto;

typedef struct {
    const char *name;
    size_t offset;
} symbol_t;

#define SYMBOL(name) {#name, offsetof(fw_libcrypto_t, name)}

static const symbol_t symbols[] = {
    SYMBOL(OpenSSL_version),     SYMBOL(EVP_aes_128_gcm),     SYMBOL(EVP_aes_256_gcm),   SYMBOL(EVP_aes_128_ctr),
    SYMBOL(EVP_aes_256_ctr),     SYMBOL(EVP_CIPHER_CTX_new),  SYMBOL(EVP_CIPHER_CTX_free), SYMBOL(EVP_CIPHER_CTX_ctrl),
    SYMBOL(EVP_CIPHER_CTX_get_params),
    SYMBOL(EVP_CipherInit_ex),   SYMBOL(EVP_CipherUpdate),    SYMBOL(EVP_CipherFinal_ex), SYMBOL(SHA1_Init),
    SYMBOL(SHA1_Update),         SYMBOL(SHA1_Final),
};

/* Resolves all symbols. Returns NULL, or the name of the first missing symbol. */
static const char *resolve(void *library) {
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (function == NULL) return symbols[i].name;
        /* memcpy: ISO C has no cast from an object pointer to a function pointer. */
        memcpy((char *)&fw_libcrypto + symbols[i].offset, &function, sizeof function);
    }
    return NULL;
}

bool fw_libcrypto_load(const char *path, const char **missing) {
    void *wheel = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (wheel != NULL && resolve(wheel) == NULL) return true;
    *missing = "libcrypto.so.3";
    void *system = dlopen(*missing, RTLD_NOW | RTLD_LOCAL);
    if (system == NULL) return false;
    *missing = resolve(system);
    return *missing == NULL;
}
