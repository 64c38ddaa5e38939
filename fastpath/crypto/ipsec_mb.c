#include <dlfcn.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "append.h"
#include "backend.h"
#include "ipsec_mb_abi.h"

/* Up to FEW messages are hashed faster one by one than in a burst; LANES messages fill a burst. */
enum { FEW = 4, LANES = 16 };

typedef void gcm_t(const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t len, const uint8_t *iv,
                   const uint8_t *aad, uint64_t aad_len, uint8_t *tag, uint64_t tag_len);
typedef void gcm_init_t(const void *key, void *context, const uint8_t *iv, const uint8_t *aad, uint64_t aad_len);
typedef void gcm_update_t(const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t len);
typedef void gcm_finalize_t(const void *key, void *context, uint8_t *tag, uint64_t tag_len);
typedef void expand_gcm_t(const void *key, void *expanded);
typedef void expand_aes_t(const void *key, void *encrypt, void *decrypt);
typedef uint32_t cipher_burst_t(void *manager, fw_imb_job_t *jobs, uint32_t count, int cipher, int direction, int key_len);
typedef uint32_t hash_burst_t(void *manager, fw_imb_job_t *jobs, uint32_t count, int hash);

static struct {
    unsigned (*imb_get_version)(void);
    const char *(*imb_get_version_str)(void);
    void *(*alloc_mb_mgr)(uint64_t flags);
    void (*free_mb_mgr)(void *manager);
    void (*init_mb_mgr_auto)(void *manager, int *arch);
    /* These functions are stateless and the same in every manager. */
    struct {
        gcm_t *seal, *open;
        gcm_init_t *init;
        gcm_update_t *update;
        gcm_finalize_t *finalize;
        expand_gcm_t *expand;
    } gcm128, gcm256;
    expand_aes_t *expand_aes128;
} imb;

typedef struct {
    alignas(64) uint8_t key[FW_IMB_GCM_KEY_BYTES]; /* the expanded key that `lend` returned last */
    uint8_t lent[32];                              /* the key that it was expanded from */
    fw_srtp_profile_t lent_for;
    void *manager;
    cipher_burst_t *cipher_burst;
    hash_burst_t *hash_burst;
    void *libcrypto; /* libcrypto's own state, for batches too small for a burst */
} own_t;

static bool take_symbol(void *library, const char *name, void *field) {
    void *function = dlsym(library, name);
    /* memcpy: ISO C has no cast from an object pointer to a function pointer. */
    memcpy(field, &function, sizeof function);
    return function != NULL;
}

static void take_function(const void *manager, size_t offset, void *field) {
    memcpy(field, (const char *)manager + offset, sizeof(void *));
}

static const char *check_manager(const void *manager) {
    uint64_t features;
    memcpy(&features, (const char *)manager + FW_IMB_FEATURES, sizeof features);
    if ((features & (FW_IMB_AESNI | FW_IMB_PCLMULQDQ)) != (FW_IMB_AESNI | FW_IMB_PCLMULQDQ) || features & FW_IMB_AESNI_EMULATED)
        return "this processor has no AES instructions";
    if ((features & FW_IMB_SELF_TESTED) == 0) return "libIPSec_MB.so.1 fails its own test";
    take_function(manager, FW_IMB_GCM128_ENC, &imb.gcm128.seal);
    take_function(manager, FW_IMB_GCM256_ENC, &imb.gcm256.seal);
    take_function(manager, FW_IMB_GCM128_DEC, &imb.gcm128.open);
    take_function(manager, FW_IMB_GCM256_DEC, &imb.gcm256.open);
    take_function(manager, FW_IMB_GCM128_INIT, &imb.gcm128.init);
    take_function(manager, FW_IMB_GCM256_INIT, &imb.gcm256.init);
    take_function(manager, FW_IMB_GCM128_ENC_UPDATE, &imb.gcm128.update);
    take_function(manager, FW_IMB_GCM256_ENC_UPDATE, &imb.gcm256.update);
    take_function(manager, FW_IMB_GCM128_ENC_FINALIZE, &imb.gcm128.finalize);
    take_function(manager, FW_IMB_GCM256_ENC_FINALIZE, &imb.gcm256.finalize);
    take_function(manager, FW_IMB_GCM128_PRE, &imb.gcm128.expand);
    take_function(manager, FW_IMB_GCM256_PRE, &imb.gcm256.expand);
    take_function(manager, FW_IMB_KEYEXP_128, &imb.expand_aes128);
    return NULL;
}

static const char *find(char version[FW_BACKEND_VERSION_BYTES]) {
#ifndef __x86_64__
    (void)version;
    return "it is made for x86-64 only";
#endif
    void *library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return "libIPSec_MB.so.1 is not installed";
    if (!take_symbol(library, "imb_get_version", &imb.imb_get_version) ||
        !take_symbol(library, "imb_get_version_str", &imb.imb_get_version_str) ||
        !take_symbol(library, "alloc_mb_mgr", &imb.alloc_mb_mgr) ||
        !take_symbol(library, "free_mb_mgr", &imb.free_mb_mgr) ||
        !take_symbol(library, "init_mb_mgr_auto", &imb.init_mb_mgr_auto))
        return "libIPSec_MB.so.1 is too old";
    fw_append(version, FW_BACKEND_VERSION_BYTES, imb.imb_get_version_str());
    if (imb.imb_get_version() != FW_IMB_VERSION) return "libIPSec_MB.so.1 is of another version than 1.3.0, which was tested";
    void *manager = imb.alloc_mb_mgr(0);
    if (manager == NULL) return "memory is short";
    imb.init_mb_mgr_auto(manager, NULL);
    const char *problem = check_manager(manager);
    imb.free_mb_mgr(manager);
    return problem;
}

static void close_own(void *opened) {
    own_t *own = opened;
    if (own->manager != NULL) imb.free_mb_mgr(own->manager);
    if (own->libcrypto != NULL) fw_backend_libcrypto.close(own->libcrypto);
    free(own);
}

static void *open_own(void) {
    own_t *own = aligned_alloc(alignof(own_t), sizeof *own);
    if (own == NULL) return NULL;
    memset(own, 0, sizeof *own);
    own->manager = imb.alloc_mb_mgr(0);
    own->libcrypto = fw_backend_libcrypto.open();
    if (own->manager == NULL || own->libcrypto == NULL) {
        close_own(own);
        return NULL;
    }
    imb.init_mb_mgr_auto(own->manager, NULL);
    take_function(own->manager, FW_IMB_CIPHER_BURST, &own->cipher_burst);
    take_function(own->manager, FW_IMB_HASH_BURST, &own->hash_burst);
    return own;
}

static size_t key_bytes(fw_srtp_profile_t profile) {
    return profile == FW_SRTP_AES128_CM_SHA1_80 ? FW_IMB_AES128_KEY_BYTES : FW_IMB_GCM_KEY_BYTES;
}

static bool expand(fw_srtp_profile_t profile, const uint8_t *key, void *expanded) {
    alignas(64) uint8_t decrypt[FW_IMB_AES128_KEY_BYTES];
    switch (profile) {
        case FW_SRTP_AEAD_AES_128_GCM: imb.gcm128.expand(key, expanded); return true;
        case FW_SRTP_AEAD_AES_256_GCM: imb.gcm256.expand(key, expanded); return true;
        default: imb.expand_aes128(key, expanded, decrypt); return true;
    }
}

static void forget(void *expanded) { (void)expanded; }

static const void *lend(void *opened, fw_srtp_profile_t profile, const uint8_t *key) {
    own_t *own = opened;
    size_t len = profile == FW_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    if (own->lent_for == profile && memcmp(own->lent, key, len) == 0) return own->key;
    memcpy(own->lent, key, len);
    own->lent_for = profile;
    return expand(profile, key, own->key) ? own->key : NULL;
}

static void run_gcm(gcm_t *function, const void *key, const fw_gcm_t *m, uint8_t *tag) {
    alignas(64) uint8_t context[FW_IMB_GCM_CONTEXT_BYTES];
    function(key, context, m->out, m->in, m->len, m->iv, m->header, m->header_len, tag, FW_GCM_TAG_BYTES);
}

/* Encrypts the parts one by one: about 10 ns less for a 1200-byte packet in bench.fanout than copying them into one buffer first. */
static void seal_pieces(bool wide, const void *key, const fw_gcm_t *m) {
    alignas(64) uint8_t context[FW_IMB_GCM_CONTEXT_BYTES];
    gcm_update_t *update = wide ? imb.gcm256.update : imb.gcm128.update;
    uint8_t *body = m->out + m->prefix_len, *suffix = body + m->len;
    (wide ? imb.gcm256.init : imb.gcm128.init)(key, context, m->iv, m->header, m->header_len);
    if (m->prefix_len > 0) update(key, context, m->out, m->out, m->prefix_len);
    if (m->len > 0) update(key, context, body, m->in, m->len);
    if (m->suffix_len > 0) update(key, context, suffix, suffix, m->suffix_len);
    (wide ? imb.gcm256.finalize : imb.gcm128.finalize)(key, context, m->tag, FW_GCM_TAG_BYTES);
}

static bool gcm_seal(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    bool wide = profile == FW_SRTP_AEAD_AES_256_GCM;
    if (m->prefix_len + m->suffix_len > 0) seal_pieces(wide, key, m);
    else run_gcm(wide ? imb.gcm256.seal : imb.gcm128.seal, key, m, m->tag);
    return true;
}

static bool gcm_open(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    uint8_t tag[FW_GCM_TAG_BYTES];
    run_gcm(profile == FW_SRTP_AEAD_AES_256_GCM ? imb.gcm256.open : imb.gcm128.open, key, m, tag);
    return fw_tag_equal(tag, m->tag, sizeof tag);
}

static bool ctr_burst(const own_t *own, const fw_cm_t *messages, uint32_t count) {
    fw_imb_job_t jobs[LANES];
    for (uint32_t i = 0; i < count; i++)
        jobs[i] = (fw_imb_job_t){.enc_keys = messages[i].key,
                                 .key_len = 16,
                                 .src = messages[i].in,
                                 .dst = messages[i].out,
                                 .cipher_len = messages[i].len,
                                 .iv = messages[i].iv,
                                 .iv_len = FW_CM_IV_BYTES};
    return own->cipher_burst(own->manager, jobs, count, FW_IMB_CNTR, FW_IMB_ENCRYPT, 16) == count;
}

static bool ctr(void *own, const fw_cm_t *messages, size_t count) {
    bool good = true;
    for (size_t done = 0; done < count; done += LANES)
        good = ctr_burst(own, messages + done, (uint32_t)(count - done < LANES ? count - done : LANES)) && good;
    return good;
}

static bool hash_burst(const own_t *own, fw_cm_t *messages, uint32_t count) {
    fw_imb_job_t jobs[LANES];
    for (uint32_t i = 0; i < count; i++)
        jobs[i] = (fw_imb_job_t){.src = messages[i].covered,
                                 .hash_len = messages[i].covered_len,
                                 .tag = messages[i].tag,
                                 .tag_len = FW_HMAC_BYTES,
                                 .inner_pad = messages[i].auth->inner,
                                 .outer_pad = messages[i].auth->outer};
    return own->hash_burst(own->manager, jobs, count, FW_IMB_HMAC_SHA_1) == count;
}

static bool hmac(void *opened, fw_cm_t *messages, size_t count) {
    const own_t *own = opened;
    bool good = true;
    while (count >= FEW) {
        uint32_t taken = count < LANES ? (uint32_t)count : LANES;
        good = hash_burst(own, messages, taken) && good;
        messages += taken;
        count -= taken;
    }
    return fw_backend_libcrypto.hmac(own->libcrypto, messages, count) && good;
}

static bool keystream(void *opened, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len) {
    const own_t *own = opened;
    return fw_backend_libcrypto.keystream(own->libcrypto, key, key_len, iv, out, len);
}

const fw_backend_t fw_backend_ipsec_mb = {
    .name = "ipsec-mb",
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
