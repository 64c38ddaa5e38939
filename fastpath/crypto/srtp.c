#include "srtp.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

/* libsrtp 2's public structures (srtp.h of 2.0 to 2.7): part of its ABI. */
typedef struct {
    uint32_t cipher_type;
    int cipher_key_len;
    uint32_t auth_type;
    int auth_key_len;
    int auth_tag_len;
    int security;
} crypto_policy_t;

struct fw_srtp_policy {
    int ssrc_type;
    unsigned ssrc;
    crypto_policy_t rtp;
    crypto_policy_t rtcp;
    const uint8_t *key;
    void *keys;
    unsigned long key_count;
    void *ekt;
    unsigned long window_size;
    int allow_repeat_tx;
    int *encrypted_extensions;
    int encrypted_extension_count;
    struct fw_srtp_policy *next;
};

enum { ANY_INBOUND = 2, ANY_OUTBOUND = 3, REPLAY_FAIL = 9, REPLAY_OLD = 10, AUTH_FAIL = 7 };
/* Late packets and repairs of up to this many are accepted, in and out. */
enum { WINDOW_PACKETS = 1024 };

struct fw_srtp {
    fw_srtp_session_t *in;
    fw_srtp_session_t *out;
    uint8_t overhead;
};

static fw_srtp_session_t *session(fw_srtp_profile_t profile, int ssrc_type, const uint8_t *key) {
    fw_srtp_policy_t policy = {
        .ssrc_type = ssrc_type,
        .key = key,
        .window_size = WINDOW_PACKETS,
        /* A plain retransmission repeats a packet byte for byte; the caller answers for that. */
        .allow_repeat_tx = ssrc_type == ANY_OUTBOUND,
    };
    fw_crypto.srtp_policy_for_rtp(&policy.rtp, (int)profile);
    fw_crypto.srtp_policy_for_rtcp(&policy.rtcp, (int)profile);
    fw_srtp_session_t *created = NULL;
    return fw_crypto.srtp_create(&created, &policy) == 0 ? created : NULL;
}

fw_srtp_t *fw_srtp_create(fw_srtp_profile_t profile, const uint8_t *local_key, const uint8_t *remote_key) {
    if (profile != FW_SRTP_AES128_CM_SHA1_80 && profile != FW_SRTP_AEAD_AES_128_GCM &&
        profile != FW_SRTP_AEAD_AES_256_GCM)
        return NULL;
    fw_srtp_t *srtp = calloc(1, sizeof *srtp);
    if (srtp == NULL) return NULL;
    srtp->overhead = profile == FW_SRTP_AES128_CM_SHA1_80 ? 10 : 16;
    srtp->in = session(profile, ANY_INBOUND, remote_key);
    srtp->out = session(profile, ANY_OUTBOUND, local_key);
    if (srtp->in == NULL || srtp->out == NULL) {
        fw_srtp_destroy(srtp);
        return NULL;
    }
    return srtp;
}

void fw_srtp_destroy(fw_srtp_t *srtp) {
    if (srtp == NULL) return;
    if (srtp->in != NULL) fw_crypto.srtp_dealloc(srtp->in);
    if (srtp->out != NULL) fw_crypto.srtp_dealloc(srtp->out);
    free(srtp);
}

size_t fw_srtp_overhead(const fw_srtp_t *srtp) { return srtp->overhead; }

size_t fw_srtp_job_len(const fw_srtp_job_t *job) {
    return (size_t)job->header_len + job->prefix_len + job->body_len + job->padding + job->srtp->overhead;
}

static void protect_one(fw_srtp_job_t *job) {
    uint8_t *at = job->out + job->header_len + job->prefix_len;
    if (job->body_len > 0) memcpy(at, job->body, job->body_len);
    at += job->body_len;
    if (job->padding > 0) {
        memset(at, 0, job->padding);
        at[job->padding - 1] = job->padding;
        at += job->padding;
    }
    int len = (int)(at - job->out);
    job->out_len = fw_crypto.srtp_protect(job->srtp->out, job->out, &len) == 0 ? (uint16_t)len : 0;
}

void fw_srtp_protect(fw_srtp_job_t *jobs, size_t count) {
    for (size_t i = 0; i < count; i++) protect_one(&jobs[i]);
}

static fw_srtp_status_t status(int code) {
    switch (code) {
        case 0: return FW_SRTP_OK;
        case REPLAY_FAIL:
        case REPLAY_OLD: return FW_SRTP_REPLAYED;
        case AUTH_FAIL: return FW_SRTP_FORGED;
        default: return FW_SRTP_FAILED;
    }
}

static fw_srtp_status_t unprotect(int (*function)(fw_srtp_session_t *, void *, int *), fw_srtp_session_t *in,
                                  uint8_t *packet, size_t *len) {
    if (*len > INT_MAX) return FW_SRTP_FAILED;
    int length = (int)*len;
    fw_srtp_status_t result = status(function(in, packet, &length));
    if (result == FW_SRTP_OK) *len = (size_t)length;
    return result;
}

fw_srtp_status_t fw_srtp_unprotect(fw_srtp_t *srtp, uint8_t *packet, size_t *len) {
    return unprotect(fw_crypto.srtp_unprotect, srtp->in, packet, len);
}

fw_srtp_status_t fw_srtp_unprotect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t *len) {
    return unprotect(fw_crypto.srtp_unprotect_rtcp, srtp->in, packet, len);
}

size_t fw_srtp_protect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t len) {
    int length = (int)len;
    return fw_crypto.srtp_protect_rtcp(srtp->out, packet, &length) == 0 ? (size_t)length : 0;
}

/* AEAD_AES_128_GCM of the packet in round_trip: RFC 7714 computed with another AES-GCM than the one under test. */
static const uint8_t gcm_answer[] = {0xf0, 0x5d, 0xfe, 0x4a, 0xbc, 0x23, 0xdf, 0xa4, 0x38, 0x77, 0x8d, 0x4f,
                                     0x46, 0x8d, 0xe4, 0x66, 0x1c, 0xbb, 0x23, 0x70, 0x6c, 0x13, 0x41, 0x2e,
                                     0x12, 0xfc, 0xf0, 0x10, 0x9b, 0x7b, 0xf7, 0xeb, 0xd3, 0x59, 0xb5, 0xc0};

static bool round_trip(fw_srtp_profile_t profile) {
    uint8_t key[FW_SRTP_MAX_KEY_BYTES];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i * 7);
    fw_srtp_t *a = fw_srtp_create(profile, key, key);
    fw_srtp_t *b = fw_srtp_create(profile, key, key);
    static const uint8_t body[] = "sixteen or so bytes";
    uint8_t out[12 + sizeof body + FW_SRTP_MAX_OVERHEAD_BYTES] = {0x80, 96, 0, 1};
    bool good = false;
    if (a != NULL && b != NULL) {
        fw_srtp_job_t job = {.srtp = a, .out = out, .body = body, .index = 1, .header_len = 12, .body_len = sizeof body};
        fw_srtp_protect(&job, 1);
        size_t len = job.out_len;
        good = len == fw_srtp_job_len(&job);
        if (profile == FW_SRTP_AEAD_AES_128_GCM) good = good && memcmp(out + 12, gcm_answer, sizeof gcm_answer) == 0;
        good = good && fw_srtp_unprotect(b, out, &len) == FW_SRTP_OK && len == 12 + sizeof body &&
               memcmp(out + 12, body, sizeof body) == 0;
    }
    fw_srtp_destroy(a);
    fw_srtp_destroy(b);
    return good;
}

bool fw_srtp_self_test(void) {
    return round_trip(FW_SRTP_AES128_CM_SHA1_80) && round_trip(FW_SRTP_AEAD_AES_128_GCM) &&
           round_trip(FW_SRTP_AEAD_AES_256_GCM);
}
