#include "library.h"

#include <dlfcn.h>
#include <string.h>

fw_crypto_library_t fw_crypto;

typedef struct {
    const char *name;
    size_t offset;
} symbol_t;

#define SYMBOL(field, name) {name, offsetof(fw_crypto_library_t, field)}

static const symbol_t libsrtp[] = {
    SYMBOL(srtp_create, "srtp_create"),
    SYMBOL(srtp_dealloc, "srtp_dealloc"),
    SYMBOL(srtp_protect, "srtp_protect"),
    SYMBOL(srtp_unprotect, "srtp_unprotect"),
    SYMBOL(srtp_protect_rtcp, "srtp_protect_rtcp"),
    SYMBOL(srtp_unprotect_rtcp, "srtp_unprotect_rtcp"),
    SYMBOL(srtp_policy_for_rtp, "srtp_crypto_policy_set_from_profile_for_rtp"),
    SYMBOL(srtp_policy_for_rtcp, "srtp_crypto_policy_set_from_profile_for_rtcp"),
};

static const symbol_t libcrypto[] = {
    SYMBOL(EVP_sha1, "EVP_sha1"),           SYMBOL(HMAC_CTX_new, "HMAC_CTX_new"),
    SYMBOL(HMAC_CTX_free, "HMAC_CTX_free"), SYMBOL(HMAC_Init_ex, "HMAC_Init_ex"),
    SYMBOL(HMAC_Update, "HMAC_Update"),     SYMBOL(HMAC_Final, "HMAC_Final"),
};

/* NULL where all were found, else the name of the first that was not. */
static const char *resolve(void *library, const symbol_t *symbols, size_t count) {
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (function == NULL) return symbols[i].name;
        /* memcpy: ISO C has no cast from an object pointer to a function pointer. */
        memcpy((char *)&fw_crypto + symbols[i].offset, &function, sizeof function);
    }
    return NULL;
}

bool fw_crypto_load(const char *path, const char **missing) {
    *missing = path;
    void *wheel = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (wheel == NULL) return false;
    *missing = resolve(wheel, libsrtp, sizeof libsrtp / sizeof *libsrtp);
    if (*missing != NULL) return false;
    *missing = resolve(wheel, libcrypto, sizeof libcrypto / sizeof *libcrypto);
    if (*missing != NULL) {
        void *system = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
        if (system == NULL) return false;
        *missing = resolve(system, libcrypto, sizeof libcrypto / sizeof *libcrypto);
    }
    return *missing == NULL;
}
