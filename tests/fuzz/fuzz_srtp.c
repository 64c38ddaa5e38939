/* SRTP as it comes in, RTP and RTCP, under every profile: no packet is read beyond its end, none that is not OK leaves
 * a trace, and what is OK is not OK twice.
 *
 * The cipher is open: whatever ends in zeros is authentic. The first byte says under which profile, and what it is.
 */
#include "crypto/srtp.h"
#include "crypto/library.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static size_t key_bytes(fw_srtp_profile_t profile) {
    (void)profile;
    return 16;
}

static bool expand(fw_srtp_profile_t profile, const uint8_t *key, void *expanded) {
    (void)profile;
    memcpy(expanded, key, 16);
    return true;
}

static void forget(void *expanded) { (void)expanded; }

static const void *lend(void *own, fw_srtp_profile_t profile, const uint8_t *key) {
    (void)profile;
    (void)key;
    return own;
}

static void *open_own(void) { return calloc(1, 16); }

static bool touch(const uint8_t *data, size_t len) {
    uint8_t all = 0;
    for (size_t i = 0; i < len; i++) all |= data[i];
    return all == 0;
}

static bool gcm_open(fw_srtp_profile_t profile, const void *key, const fw_gcm_t *m) {
    (void)profile;
    (void)key;
    (void)touch(m->header, m->header_len);
    (void)touch(m->in, m->len);
    return touch(m->tag, FW_GCM_TAG_BYTES);
}

static bool ctr(void *own, const fw_cm_t *messages, size_t count) {
    (void)own;
    for (size_t i = 0; i < count; i++) (void)touch(messages[i].in, messages[i].len);
    return true;
}

static bool hmac(void *own, fw_cm_t *messages, size_t count) {
    (void)own;
    for (size_t i = 0; i < count; i++) {
        (void)touch(messages[i].covered, messages[i].covered_len);
        memset(messages[i].tag, 0, sizeof messages[i].tag);
    }
    return true;
}

static bool keystream(void *own, const uint8_t *key, size_t key_len, const uint8_t *iv, uint8_t *out, size_t len) {
    (void)own;
    (void)key;
    (void)key_len;
    (void)iv;
    memset(out, 0, len);
    return true;
}

static int sha1_init(fw_sha1_t *sha1) {
    memset(sha1, 0, sizeof *sha1);
    return 1;
}

static int sha1_update(fw_sha1_t *sha1, const void *data, size_t len) {
    (void)sha1;
    (void)touch(data, len);
    return 1;
}

static const fw_backend_t open_backend = {.name = "open", .open = open_own, .close = free, .key_bytes = key_bytes,
                                          .expand = expand, .forget = forget, .lend = lend, .gcm_open = gcm_open,
                                          .ctr = ctr, .hmac = hmac, .keystream = keystream};

typedef fw_srtp_status_t unprotect_t(fw_srtp_t *srtp, uint8_t *packet, size_t *len);

/* A copy as long as the packet, so that a sanitizer sees what reads beyond it. */
static fw_srtp_status_t give(unprotect_t *unprotect, fw_srtp_t *srtp, const uint8_t *data, size_t len) {
    uint8_t *packet = malloc(len > 0 ? len : 1);
    CHECK(packet != NULL);
    if (len > 0) memcpy(packet, data, len);
    size_t left = len;
    size_t before = fw_srtp_memory_bytes(srtp);
    fw_srtp_status_t status = unprotect(srtp, packet, &left);
    CHECK(status == FW_SRTP_OK ? left < len : left == len && fw_srtp_memory_bytes(srtp) == before);
    free(packet);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const fw_srtp_profile_t profiles[] = {FW_SRTP_AEAD_AES_128_GCM, FW_SRTP_AEAD_AES_256_GCM, FW_SRTP_AES128_CM_SHA1_80};
    static const uint8_t key[FW_SRTP_MAX_KEY_BYTES];
    if (size == 0) return 0;
    fw_libcrypto.SHA1_Init = sha1_init;
    fw_libcrypto.SHA1_Update = sha1_update;
    fw_backend_use(&open_backend);
    fw_crypto_t *crypto = fw_crypto_create();
    fw_srtp_t *srtp = crypto == NULL ? NULL : fw_srtp_create(crypto, profiles[data[0] % 3], key, key);
    CHECK(srtp != NULL);
    unprotect_t *unprotect = (data[0] & 0x80) != 0 ? fw_srtp_unprotect_rtcp : fw_srtp_unprotect;
    for (size_t at = 1; at < size;) {
        size_t len = data[at];
        if (len == 0 || len > size - at) len = size - at;
        if (give(unprotect, srtp, data + at, len) == FW_SRTP_OK)
            CHECK(give(unprotect, srtp, data + at, len) == FW_SRTP_REPLAYED);
        at += len;
    }
    fw_srtp_destroy(srtp);
    fw_crypto_destroy(crypto);
    return 0;
}
