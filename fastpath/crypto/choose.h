/* Chooses the backend of every context that is created later, after trying that it encrypts as libsrtp does. */
#ifndef FW_CRYPTO_CHOOSE_H
#define FW_CRYPTO_CHOOSE_H

#include "backend.h"

/* The result of a choice. */
typedef struct {
    const fw_backend_t *backend; /* NULL where the wanted backend does not serve */
    char version[FW_BACKEND_VERSION_BYTES];
    char why[FW_BACKEND_WHY_BYTES]; /* in words, also why others were not taken */
} fw_choice_t;

/* Chooses what every later fw_crypto_create uses: "auto" for the fastest that works here, else by its name. Before any
 * other thread uses this folder; fw_libcrypto_load comes first. Without a backend the earlier choice stays. */
fw_choice_t fw_backend_choose(const char *name);

/* The last choice; its backend is NULL before the first. */
const fw_choice_t *fw_backend_chosen(void);

/* Takes this one, as it is. For tests. */
void fw_backend_use(const fw_backend_t *backend);

/* NULL where memory is short, or nothing was chosen. */
fw_crypto_t *fw_crypto_create(void);
void fw_crypto_destroy(fw_crypto_t *crypto);

#endif
