/* Chooses the backend of SRTP contexts, after a self-test against test vectors of libsrtp. */
#ifndef FW_CRYPTO_CHOOSE_H
#define FW_CRYPTO_CHOOSE_H

#include "backend.h"

/* The result of a choice. */
typedef struct {
    const fw_backend_t *backend; /* NULL where the requested backend cannot be used */
    char version[FW_BACKEND_VERSION_BYTES];
    char why[FW_BACKEND_WHY_BYTES]; /* the reason in English, including why a faster backend was not chosen */
} fw_choice_t;

/* Chooses the backend of every later fw_crypto_create: "auto" for the fastest that passes the self-test, else a backend's name. Call
 * after fw_libcrypto_load and before any other thread uses this folder. Where no backend can be used, the earlier choice remains. */
fw_choice_t fw_backend_choose(const char *name);

/* Returns the last successful choice; its backend is NULL before the first. */
const fw_choice_t *fw_backend_chosen(void);

/* Chooses a backend without a self-test. For tests. */
void fw_backend_use(const fw_backend_t *backend);

/* Opens the chosen backend for one thread. NULL where memory is short or no backend was chosen. */
fw_crypto_t *fw_crypto_create(void);
void fw_crypto_destroy(fw_crypto_t *crypto);

#endif
