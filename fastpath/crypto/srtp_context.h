/* Declares the SRTP context of a transport, for the files that implement srtp.h. */
#ifndef FW_CRYPTO_SRTP_CONTEXT_H
#define FW_CRYPTO_SRTP_CONTEXT_H

#include <stdalign.h>

#include "replay.h"
#include "session_keys.h"
#include "srtp.h"

#define FW_CM_TAG_BYTES 10
#define FW_SRTCP_INDEX_BYTES 4
#define FW_RTP_FIXED_BYTES 12
#define FW_RTCP_FIXED_BYTES 8

/* Each flow has its own session keys. */
typedef enum { FW_RTP_OUT, FW_RTCP_OUT, FW_RTP_IN, FW_RTCP_IN, FW_FLOWS } fw_flow_t;

/* Fields are in the order in which an outbound packet reads them. Only the outbound RTP key is kept expanded: SRTCP is rare, and an
 * inbound packet costs one expansion (about 100 ns) where a kept key would cost 1 kB for each viewer. */
struct fw_srtp {
    fw_crypto_t *crypto;
    uint8_t profile; /* fw_srtp_profile_t */
    uint8_t tag_len;
    uint32_t rtcp_index; /* of the last outbound SRTCP packet */
    fw_session_keys_t keys[FW_FLOWS];
    fw_replay_t rtp_seen;
    fw_replay_t rtcp_seen;
    alignas(64) uint8_t rtp_out_key[]; /* expanded; with AES-CM, an fw_hmac_t for each flow follows */
};

static inline bool fw_srtp_is_cm(const fw_srtp_t *srtp) { return srtp->profile == FW_SRTP_AES128_CM_SHA1_80; }

static inline fw_hmac_t *fw_srtp_auth(fw_srtp_t *srtp, fw_flow_t flow) {
    return (fw_hmac_t *)(void *)(srtp->rtp_out_key + srtp->crypto->backend->key_bytes(FW_SRTP_AES128_CM_SHA1_80)) + flow;
}

#endif
