#include "srtp_context.h"

#include <stdlib.h>
#include <string.h>

#include "octets.h"

enum { CACHE_LINE = 64, LANES = 16 };

#define INDEX_END (UINT64_C(1) << 48)
#define RTCP_ENCRYPTED 0x80000000U

static bool known(fw_srtp_profile_t profile) {
    return profile == FW_SRTP_AES128_CM_SHA1_80 || profile == FW_SRTP_AEAD_AES_128_GCM || profile == FW_SRTP_AEAD_AES_256_GCM;
}

static size_t context_bytes(const fw_backend_t *backend, fw_srtp_profile_t profile) {
    size_t bytes = sizeof(fw_srtp_t) + backend->key_bytes(profile);
    if (profile == FW_SRTP_AES128_CM_SHA1_80) bytes += FW_FLOWS * sizeof(fw_hmac_t);
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static bool derive(fw_srtp_t *srtp, fw_flow_t flow, fw_labels_t labels, const uint8_t *master) {
    fw_hmac_t *auth = fw_srtp_is_cm(srtp) ? fw_srtp_auth(srtp, flow) : NULL;
    return fw_session_keys_derive(&srtp->keys[flow], auth, srtp->crypto, (fw_srtp_profile_t)srtp->profile, labels, master);
}

fw_srtp_t *fw_srtp_create(fw_crypto_t *crypto, fw_srtp_profile_t profile, const uint8_t *local_key,
                          const uint8_t *remote_key) {
    if (!known(profile)) return NULL;
    size_t bytes = context_bytes(crypto->backend, profile);
    fw_srtp_t *srtp = aligned_alloc(CACHE_LINE, bytes);
    if (srtp == NULL) return NULL;
    memset(srtp, 0, bytes);
    srtp->crypto = crypto;
    srtp->profile = (uint8_t)profile;
    srtp->tag_len = profile == FW_SRTP_AES128_CM_SHA1_80 ? FW_CM_TAG_BYTES : FW_GCM_TAG_BYTES;
    fw_replay_init(&srtp->rtp_seen, FW_SRTP_REPLAY_PACKETS);
    fw_replay_init(&srtp->rtcp_seen, FW_SRTCP_REPLAY_PACKETS);
    if (derive(srtp, FW_RTP_OUT, FW_LABELS_RTP, local_key) && derive(srtp, FW_RTCP_OUT, FW_LABELS_RTCP, local_key) &&
        derive(srtp, FW_RTP_IN, FW_LABELS_RTP, remote_key) && derive(srtp, FW_RTCP_IN, FW_LABELS_RTCP, remote_key) &&
        crypto->backend->expand(profile, srtp->keys[FW_RTP_OUT].cipher, srtp->rtp_out_key))
        return srtp;
    free(srtp);
    return NULL;
}

void fw_srtp_destroy(fw_srtp_t *srtp) {
    if (srtp == NULL) return;
    srtp->crypto->backend->forget(srtp->rtp_out_key);
    fw_replay_free(&srtp->rtp_seen);
    fw_replay_free(&srtp->rtcp_seen);
    free(srtp);
}

size_t fw_srtp_overhead(const fw_srtp_t *srtp) { return srtp->tag_len; }

size_t fw_srtp_memory_bytes(const fw_srtp_t *srtp) {
    return context_bytes(srtp->crypto->backend, (fw_srtp_profile_t)srtp->profile) + fw_replay_bytes(&srtp->rtp_seen) +
           fw_replay_bytes(&srtp->rtcp_seen);
}

static uint32_t ssrc_of(const uint8_t *rtp) { return fw_get32(rtp + 8); }

static void write_padding(const fw_srtp_job_t *job) {
    if (job->padding == 0) return;
    uint8_t *at = job->out + job->header_len + job->prefix_len + job->body_len;
    memset(at, 0, job->padding);
    at[job->padding - 1] = job->padding;
}

static void protect_gcm(fw_srtp_job_t *job) {
    fw_srtp_t *srtp = job->srtp;
    write_padding(job);
    fw_gcm_t message = {.header = job->out,
                        .header_len = job->header_len,
                        .in = job->body,
                        .out = job->out + job->header_len,
                        .prefix_len = job->prefix_len,
                        .len = job->body_len,
                        .suffix_len = job->padding};
    message.tag = message.out + job->prefix_len + job->body_len + job->padding;
    fw_gcm_iv(&srtp->keys[FW_RTP_OUT], ssrc_of(job->out), job->index, message.iv);
    if (srtp->crypto->backend->gcm_seal((fw_srtp_profile_t)srtp->profile, srtp->rtp_out_key, &message))
        job->out_len = (uint16_t)fw_srtp_job_len(job);
}

/* Protects up to LANES AES-CM jobs together: copies the payloads, encrypts them, then computes the HMACs. */
static void protect_cm(fw_srtp_job_t *const *jobs, size_t count) {
    fw_cm_t messages[LANES];
    for (size_t i = 0; i < count; i++) {
        const fw_srtp_job_t *job = jobs[i];
        uint8_t *payload = job->out + job->header_len;
        size_t len = (size_t)job->prefix_len + job->body_len + job->padding;
        if (job->body_len > 0) memcpy(payload + job->prefix_len, job->body, job->body_len);
        write_padding(job);
        messages[i] = (fw_cm_t){.key = job->srtp->rtp_out_key,
                                .in = payload,
                                .out = payload,
                                .len = (uint32_t)len,
                                .auth = fw_srtp_auth(job->srtp, FW_RTP_OUT),
                                .covered = job->out,
                                .covered_len = (uint32_t)(job->header_len + len + 4)};
        fw_cm_iv(&job->srtp->keys[FW_RTP_OUT], ssrc_of(job->out), job->index, messages[i].iv);
        fw_put32(payload + len, (uint32_t)(job->index >> 16)); /* the HMAC covers the ROC; the tag then overwrites it */
    }
    const fw_crypto_t *crypto = jobs[0]->srtp->crypto;
    if (!crypto->backend->ctr(crypto->own, messages, count) || !crypto->backend->hmac(crypto->own, messages, count)) return;
    for (size_t i = 0; i < count; i++) {
        memcpy(messages[i].out + messages[i].len, messages[i].tag, FW_CM_TAG_BYTES);
        jobs[i]->out_len = (uint16_t)fw_srtp_job_len(jobs[i]);
    }
}

void fw_srtp_fetch(const fw_srtp_t *srtp) {
    size_t bytes = context_bytes(srtp->crypto->backend, (fw_srtp_profile_t)srtp->profile);
    for (size_t at = 0; at < bytes; at += CACHE_LINE) __builtin_prefetch((const uint8_t *)srtp + at);
}

void fw_srtp_fetch_rtcp(const fw_srtp_t *srtp) {
    __builtin_prefetch(&srtp->keys[FW_RTCP_IN]);
    __builtin_prefetch(srtp->rtcp_seen.sources);
}

void fw_srtp_protect(fw_srtp_job_t *jobs, size_t count) {
    fw_srtp_job_t *waiting[LANES];
    size_t lanes = 0;
    for (size_t i = 0; i < count; i++) {
        jobs[i].out_len = 0;
        if (jobs[i].index >= INDEX_END) continue;
        if (!fw_srtp_is_cm(jobs[i].srtp)) {
            protect_gcm(&jobs[i]);
            continue;
        }
        waiting[lanes++] = &jobs[i];
        if (lanes < LANES) continue;
        protect_cm(waiting, lanes);
        lanes = 0;
    }
    if (lanes > 0) protect_cm(waiting, lanes);
}

/* Returns the length of an RTP header with CSRCs and extension in bytes, 0 where it overruns `len`. */
static size_t rtp_header_len(const uint8_t *packet, size_t len) {
    if (len < FW_RTP_FIXED_BYTES || packet[0] >> 6 != 2) return 0;
    size_t at = FW_RTP_FIXED_BYTES + 4U * (packet[0] & 15);
    if ((packet[0] & 0x10) == 0) return at <= len ? at : 0;
    if (at + 4 > len) return 0;
    at += 4 + 4U * fw_get16(packet + at + 2);
    return at <= len ? at : 0;
}

/* Estimates the packet index: the one nearest to the highest so far (RFC 3711 section 3.3.1), with a ROC of at least 0. */
static uint64_t guess_index(const fw_replay_source_t *source, uint16_t seq16) {
    if (source == NULL || source->highest <= 0x8000) return seq16;
    return source->highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq16 - (uint16_t)source->highest);
}

static fw_srtp_status_t open_gcm(fw_srtp_t *srtp, fw_flow_t flow, fw_gcm_t *message) {
    fw_srtp_profile_t profile = (fw_srtp_profile_t)srtp->profile;
    const void *key = srtp->crypto->backend->lend(srtp->crypto->own, profile, srtp->keys[flow].cipher);
    if (key == NULL) return FW_SRTP_FAILED;
    return srtp->crypto->backend->gcm_open(profile, key, message) ? FW_SRTP_OK : FW_SRTP_FORGED;
}

/* Authenticates `covered` against `tag`, FW_CM_TAG_BYTES, then decrypts `in`. */
static fw_srtp_status_t open_cm(fw_srtp_t *srtp, fw_flow_t flow, fw_cm_t *message, const uint8_t *tag) {
    const fw_backend_t *backend = srtp->crypto->backend;
    message->auth = fw_srtp_auth(srtp, flow);
    if (!backend->hmac(srtp->crypto->own, message, 1)) return FW_SRTP_FAILED;
    if (!fw_tag_equal(message->tag, tag, FW_CM_TAG_BYTES)) return FW_SRTP_FORGED;
    message->key = backend->lend(srtp->crypto->own, (fw_srtp_profile_t)srtp->profile, srtp->keys[flow].cipher);
    return message->key != NULL && backend->ctr(srtp->crypto->own, message, 1) ? FW_SRTP_OK : FW_SRTP_FAILED;
}

static fw_srtp_status_t open_rtp(fw_srtp_t *srtp, uint8_t *packet, size_t header_len, size_t payload_len, uint64_t index) {
    uint8_t *payload = packet + header_len;
    uint8_t tag[FW_CM_TAG_BYTES];
    if (!fw_srtp_is_cm(srtp)) {
        fw_gcm_t message = {.header = packet,
                            .header_len = (uint32_t)header_len,
                            .in = payload,
                            .out = payload,
                            .len = (uint32_t)payload_len,
                            .tag = payload + payload_len};
        fw_gcm_iv(&srtp->keys[FW_RTP_IN], ssrc_of(packet), index, message.iv);
        return open_gcm(srtp, FW_RTP_IN, &message);
    }
    memcpy(tag, payload + payload_len, sizeof tag);
    fw_put32(payload + payload_len, (uint32_t)(index >> 16)); /* the HMAC covers the ROC */
    fw_cm_t message = {.in = payload,
                       .out = payload,
                       .len = (uint32_t)payload_len,
                       .covered = packet,
                       .covered_len = (uint32_t)(header_len + payload_len + 4)};
    fw_cm_iv(&srtp->keys[FW_RTP_IN], ssrc_of(packet), index, message.iv);
    return open_cm(srtp, FW_RTP_IN, &message, tag);
}

fw_srtp_status_t fw_srtp_unprotect(fw_srtp_t *srtp, uint8_t *packet, size_t *len) {
    size_t header_len = rtp_header_len(packet, *len);
    if (header_len == 0 || *len > UINT16_MAX || *len < header_len + srtp->tag_len) return FW_SRTP_FAILED;
    size_t payload_len = *len - header_len - srtp->tag_len;
    uint32_t ssrc = ssrc_of(packet);
    const fw_replay_source_t *source = fw_replay_find(&srtp->rtp_seen, ssrc);
    uint64_t index = guess_index(source, fw_get16(packet + 2));
    if (index >= INDEX_END) return FW_SRTP_FAILED;
    if (!fw_replay_fresh(&srtp->rtp_seen, source, index)) return FW_SRTP_REPLAYED;
    fw_srtp_status_t status = open_rtp(srtp, packet, header_len, payload_len, index);
    if (status != FW_SRTP_OK) return status;
    if (!fw_replay_take(&srtp->rtp_seen, ssrc, index)) return FW_SRTP_FAILED;
    *len = header_len + payload_len;
    return FW_SRTP_OK;
}

/* Joins the two parts of SRTCP's AAD: the fixed header, and the trailer with E flag and index (RFC 7714 section 9.2). */
static void rtcp_aad(const uint8_t *packet, uint32_t trailer, uint8_t aad[FW_RTCP_FIXED_BYTES + FW_SRTCP_INDEX_BYTES]) {
    memcpy(aad, packet, FW_RTCP_FIXED_BYTES);
    fw_put32(aad + FW_RTCP_FIXED_BYTES, trailer);
}

static fw_srtp_status_t open_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t payload_len, uint32_t trailer) {
    uint8_t *payload = packet + FW_RTCP_FIXED_BYTES;
    uint32_t ssrc = fw_get32(packet + 4), index = trailer & ~RTCP_ENCRYPTED;
    if (!fw_srtp_is_cm(srtp)) {
        uint8_t aad[FW_RTCP_FIXED_BYTES + FW_SRTCP_INDEX_BYTES];
        rtcp_aad(packet, trailer, aad);
        fw_gcm_t message = {.header = aad,
                            .header_len = sizeof aad,
                            .in = payload,
                            .out = payload,
                            .len = (uint32_t)payload_len,
                            .tag = payload + payload_len};
        fw_gcm_iv(&srtp->keys[FW_RTCP_IN], ssrc, index, message.iv);
        return open_gcm(srtp, FW_RTCP_IN, &message);
    }
    fw_cm_t message = {.in = payload,
                       .out = payload,
                       .len = (uint32_t)payload_len,
                       .covered = packet,
                       .covered_len = (uint32_t)(FW_RTCP_FIXED_BYTES + payload_len + FW_SRTCP_INDEX_BYTES)};
    fw_cm_iv(&srtp->keys[FW_RTCP_IN], ssrc, index, message.iv);
    return open_cm(srtp, FW_RTCP_IN, &message, payload + payload_len + FW_SRTCP_INDEX_BYTES);
}

fw_srtp_status_t fw_srtp_unprotect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t *len) {
    size_t added = (size_t)srtp->tag_len + FW_SRTCP_INDEX_BYTES;
    if (*len < FW_RTCP_FIXED_BYTES + added || *len > UINT16_MAX || packet[0] >> 6 != 2) return FW_SRTP_FAILED;
    /* The index is the last word; with AES-CM the tag comes after it. */
    size_t index_at = *len - FW_SRTCP_INDEX_BYTES - (fw_srtp_is_cm(srtp) ? FW_CM_TAG_BYTES : 0);
    uint32_t trailer = fw_get32(packet + index_at), ssrc = fw_get32(packet + 4);
    if ((trailer & RTCP_ENCRYPTED) == 0) return FW_SRTP_FAILED; /* the E flag is 0, but every profile here encrypts */
    uint64_t index = trailer & ~RTCP_ENCRYPTED;
    if (!fw_replay_fresh(&srtp->rtcp_seen, fw_replay_find(&srtp->rtcp_seen, ssrc), index)) return FW_SRTP_REPLAYED;
    size_t payload_len = *len - FW_RTCP_FIXED_BYTES - added;
    fw_srtp_status_t status = open_rtcp(srtp, packet, payload_len, trailer);
    if (status != FW_SRTP_OK) return status;
    if (!fw_replay_take(&srtp->rtcp_seen, ssrc, index)) return FW_SRTP_FAILED;
    *len = FW_RTCP_FIXED_BYTES + payload_len;
    return FW_SRTP_OK;
}

static bool seal_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t payload_len, uint32_t trailer) {
    const fw_backend_t *backend = srtp->crypto->backend;
    const fw_session_keys_t *keys = &srtp->keys[FW_RTCP_OUT];
    uint8_t *payload = packet + FW_RTCP_FIXED_BYTES, *end = payload + payload_len;
    const void *key = backend->lend(srtp->crypto->own, (fw_srtp_profile_t)srtp->profile, keys->cipher);
    if (key == NULL) return false;
    if (!fw_srtp_is_cm(srtp)) {
        uint8_t aad[FW_RTCP_FIXED_BYTES + FW_SRTCP_INDEX_BYTES];
        rtcp_aad(packet, trailer, aad);
        fw_put32(end + FW_GCM_TAG_BYTES, trailer);
        fw_gcm_t message = {.header = aad, .header_len = sizeof aad, .in = payload, .out = payload, .len = (uint32_t)payload_len, .tag = end};
        fw_gcm_iv(keys, fw_get32(packet + 4), trailer & ~RTCP_ENCRYPTED, message.iv);
        return backend->gcm_seal((fw_srtp_profile_t)srtp->profile, key, &message);
    }
    fw_put32(end, trailer);
    fw_cm_t message = {.key = key,
                       .in = payload,
                       .out = payload,
                       .len = (uint32_t)payload_len,
                       .auth = fw_srtp_auth(srtp, FW_RTCP_OUT),
                       .covered = packet,
                       .covered_len = (uint32_t)(FW_RTCP_FIXED_BYTES + payload_len + FW_SRTCP_INDEX_BYTES)};
    fw_cm_iv(keys, fw_get32(packet + 4), trailer & ~RTCP_ENCRYPTED, message.iv);
    if (!backend->ctr(srtp->crypto->own, &message, 1) || !backend->hmac(srtp->crypto->own, &message, 1)) return false;
    memcpy(end + FW_SRTCP_INDEX_BYTES, message.tag, FW_CM_TAG_BYTES);
    return true;
}

size_t fw_srtp_protect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t len) {
    if (len < FW_RTCP_FIXED_BYTES || srtp->rtcp_index + 1 >= RTCP_ENCRYPTED) return 0;
    uint32_t trailer = RTCP_ENCRYPTED | ++srtp->rtcp_index;
    if (!seal_rtcp(srtp, packet, len - FW_RTCP_FIXED_BYTES, trailer)) return 0;
    return len + srtp->tag_len + FW_SRTCP_INDEX_BYTES;
}
