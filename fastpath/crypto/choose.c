#include "choose.h"

#include <stdlib.h>
#include <string.h>

#include "append.h"
#include "srtp.h"

enum { HEADER = 12, LONG = 1200, LANES = 16 };

static fw_choice_t chosen;

/* Test vectors: the same packet protected by libsrtp 2.7 under each profile. */
static const uint8_t body[] = "sixteen or so bytes";
static const struct {
    fw_srtp_profile_t profile;
    size_t len;
    uint8_t answer[sizeof body + FW_SRTP_MAX_OVERHEAD_BYTES];
} known[] = {
    {FW_SRTP_AES128_CM_SHA1_80, 30, {0x9c, 0xcb, 0xe3, 0x40, 0xe3, 0x3f, 0x5c, 0x63, 0x5b, 0x54, 0x21, 0xf3, 0x1e, 0x13, 0xef,
                                     0x9b, 0xad, 0x29, 0x23, 0x45, 0x14, 0xd1, 0x07, 0x10, 0x51, 0xb4, 0xc0, 0x42, 0x4a, 0x23}},
    {FW_SRTP_AEAD_AES_128_GCM, 36, {0xf0, 0x5d, 0xfe, 0x4a, 0xbc, 0x23, 0xdf, 0xa4, 0x38, 0x77, 0x8d, 0x4f,
                                    0x46, 0x8d, 0xe4, 0x66, 0x1c, 0xbb, 0x23, 0x70, 0x6c, 0x13, 0x41, 0x2e,
                                    0x12, 0xfc, 0xf0, 0x10, 0x9b, 0x7b, 0xf7, 0xeb, 0xd3, 0x59, 0xb5, 0xc0}},
    {FW_SRTP_AEAD_AES_256_GCM, 36, {0xa3, 0x2d, 0xf4, 0xa7, 0x06, 0xa9, 0x5c, 0x5a, 0x1c, 0x24, 0x99, 0x5c,
                                    0xcb, 0x37, 0x7e, 0x72, 0xe4, 0x4d, 0x0f, 0xfe, 0xf1, 0x22, 0xff, 0xfa,
                                    0xaa, 0x92, 0x2d, 0xa5, 0xf1, 0x2b, 0x63, 0xd2, 0x07, 0xe0, 0xff, 0xc9}},
};

/* Protects LANES copies of a packet in one call and unprotects one. Returns whether all copies are equal, the first `answer_len`
 * payload bytes equal `answer`, decryption restores the payload, and a second copy is refused as a replay. */
static bool protects_correctly(fw_crypto_t *crypto, fw_srtp_profile_t profile, const uint8_t *payload, uint16_t len,
                               const uint8_t *answer, size_t answer_len) {
    static uint8_t out[LANES][HEADER + LONG + FW_SRTP_MAX_OVERHEAD_BYTES];
    uint8_t key[FW_SRTP_MAX_KEY_BYTES];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i * 7);
    fw_srtp_t *srtp = fw_srtp_create(crypto, profile, key, key);
    if (srtp == NULL) return false;
    fw_srtp_job_t jobs[LANES];
    for (size_t i = 0; i < LANES; i++) {
        memcpy(out[i], (const uint8_t[HEADER]){0x80, 96, 0, 1}, HEADER);
        jobs[i] = (fw_srtp_job_t){.srtp = srtp, .out = out[i], .body = payload, .index = 1, .header_len = HEADER, .body_len = len,
                                  .overhead = (uint8_t)fw_srtp_overhead(srtp)};
    }
    fw_srtp_protect(jobs, LANES);
    bool good = true;
    for (size_t i = 0; i < LANES; i++)
        good = good && jobs[i].out_len == fw_srtp_job_len(&jobs[i]) && (answer_len == 0 || memcmp(out[i] + HEADER, answer, answer_len) == 0) &&
               memcmp(out[i], out[0], jobs[i].out_len) == 0;
    size_t out_len = jobs[0].out_len;
    good = good && fw_srtp_unprotect(srtp, out[0], &out_len) == FW_SRTP_OK && out_len == HEADER + (size_t)len &&
           memcmp(out[0] + HEADER, payload, len) == 0;
    size_t again = jobs[1].out_len;
    good = good && fw_srtp_unprotect(srtp, out[1], &again) == FW_SRTP_REPLAYED;
    fw_srtp_destroy(srtp);
    return good;
}

static bool passes(const fw_backend_t *backend) {
    static uint8_t large[LONG];
    fw_crypto_t crypto = {.backend = backend, .own = backend->open()};
    if (crypto.own == NULL) return false;
    bool good = true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        good = good && protects_correctly(&crypto, known[i].profile, body, sizeof body, known[i].answer, known[i].len) &&
               protects_correctly(&crypto, known[i].profile, large, LONG, NULL, 0);
    backend->close(crypto.own);
    return good;
}

/* Returns the reason in English why the backend cannot be used, or NULL. */
static const char *problem_of(const fw_backend_t *backend, char version[FW_BACKEND_VERSION_BYTES]) {
    const char *problem = backend->find(version);
    if (problem != NULL) return problem;
    return passes(backend) ? NULL : "it does not encrypt as it should";
}

static void use(const fw_backend_t *backend, const char *version, const char *why) {
    chosen.backend = backend;
    chosen.version[0] = chosen.why[0] = 0;
    fw_append(chosen.version, sizeof chosen.version, version);
    fw_append(chosen.why, sizeof chosen.why, why);
}

/* Chooses the backend if it can be used; else writes the reason to `why`. */
static bool try_backend(const fw_backend_t *backend, const char *reason, char why[FW_BACKEND_WHY_BYTES]) {
    char version[FW_BACKEND_VERSION_BYTES] = "";
    const char *problem = problem_of(backend, version);
    if (problem == NULL) {
        use(backend, version, reason);
        return true;
    }
    why[0] = 0;
    fw_append(why, FW_BACKEND_WHY_BYTES, "not ");
    fw_append(why, FW_BACKEND_WHY_BYTES, backend->name);
    fw_append(why, FW_BACKEND_WHY_BYTES, ": ");
    fw_append(why, FW_BACKEND_WHY_BYTES, problem);
    return false;
}

fw_choice_t fw_backend_choose(const char *name) {
    fw_choice_t none = {.why = "there is none of that name"};
    if (strcmp(name, "auto") == 0) {
        char reason[FW_BACKEND_WHY_BYTES];
        if (try_backend(&fw_backend_ipsec_mb, "the fastest that there is", reason)) return chosen;
        if (try_backend(&fw_backend_libcrypto, reason, none.why)) return chosen;
    }
    if (strcmp(name, fw_backend_ipsec_mb.name) == 0 && try_backend(&fw_backend_ipsec_mb, "asked for", none.why)) return chosen;
    if (strcmp(name, fw_backend_libcrypto.name) == 0 && try_backend(&fw_backend_libcrypto, "asked for", none.why)) return chosen;
    return none;
}

const fw_choice_t *fw_backend_chosen(void) { return &chosen; }

void fw_backend_use(const fw_backend_t *backend) { use(backend, "", "for a test"); }

fw_crypto_t *fw_crypto_create(void) {
    if (chosen.backend == NULL) return NULL;
    fw_crypto_t *crypto = malloc(sizeof *crypto);
    if (crypto == NULL) return NULL;
    *crypto = (fw_crypto_t){.backend = chosen.backend, .own = chosen.backend->open()};
    if (crypto->own != NULL) return crypto;
    free(crypto);
    return NULL;
}

void fw_crypto_destroy(fw_crypto_t *crypto) {
    if (crypto == NULL) return;
    crypto->backend->close(crypto->own);
    free(crypto);
}
