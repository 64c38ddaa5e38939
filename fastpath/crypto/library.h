/* The functions that come from shared libraries: libsrtp and libcrypto, resolved once at start.
 *
 * Nothing is linked at build time: the `pylibsrtp` wheel carries both in one shared object, so that a build needs a C
 * compiler and nothing else.
 */
#ifndef FW_CRYPTO_LIBRARY_H
#define FW_CRYPTO_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fw_srtp_session fw_srtp_session_t; /* libsrtp's srtp_ctx_t */
typedef struct fw_srtp_policy fw_srtp_policy_t;   /* libsrtp's srtp_policy_t, laid out in srtp.c */

typedef struct {
    int (*srtp_create)(fw_srtp_session_t **session, const fw_srtp_policy_t *policy);
    int (*srtp_dealloc)(fw_srtp_session_t *session);
    int (*srtp_protect)(fw_srtp_session_t *session, void *packet, int *len);
    int (*srtp_unprotect)(fw_srtp_session_t *session, void *packet, int *len);
    int (*srtp_protect_rtcp)(fw_srtp_session_t *session, void *packet, int *len);
    int (*srtp_unprotect_rtcp)(fw_srtp_session_t *session, void *packet, int *len);
    void (*srtp_policy_for_rtp)(void *crypto_policy, int profile);
    void (*srtp_policy_for_rtcp)(void *crypto_policy, int profile);
    const void *(*EVP_sha1)(void);
    void *(*HMAC_CTX_new)(void);
    void (*HMAC_CTX_free)(void *context);
    int (*HMAC_Init_ex)(void *context, const void *key, int len, const void *digest, void *engine);
    int (*HMAC_Update)(void *context, const uint8_t *data, size_t len);
    int (*HMAC_Final)(void *context, uint8_t *out, unsigned *len);
} fw_crypto_library_t;

extern fw_crypto_library_t fw_crypto;

/* Resolves everything; importing pylibsrtp has initialised libsrtp before. libsrtp comes from the shared object at `path`, libcrypto's part from there too, or from the system's
 * libcrypto.so.3 where it is not exported. Call once, before any thread uses the rest of this folder. On false,
 * `missing` is the name of the first symbol that could not be found, or the path. */
bool fw_crypto_load(const char *path, const char **missing);

#endif
