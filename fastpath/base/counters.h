/* The counters of a core, by name. Every drop has one. The worker's thread writes them, other threads may read them. */
#ifndef FW_BASE_COUNTERS_H
#define FW_BASE_COUNTERS_H

#include <stdint.h>

/* X(name): drop_* counts datagrams or packets that were dropped. */
#define FW_COUNTERS(X)           \
    X(rtp_in)                    \
    X(rtcp_in)                   \
    X(stun_in)                   \
    X(dtls_in)                   \
    X(rtp_out)                   \
    X(rtcp_out)                  \
    X(stun_out)                  \
    X(dtls_out)                  \
    X(rtx_in)                    \
    X(rtx_out)                   \
    X(plain_retransmit_out)          \
    X(padding_in)                \
    X(padded_out)                \
    X(parameter_sets_out)        \
    X(nack_in)                   \
    X(nack_out)                  \
    X(nack_repeated)             \
    X(nack_not_cached)           \
    X(nack_filled)               \
    X(nack_exhausted)            \
    X(nack_obsolete)             \
    X(nack_over_budget)          \
    X(fast_start_restarted)      \
    X(keyframe_requests_in)      \
    X(keyframe_requests_out)     \
    X(twcc_out)                  \
    X(twcc_in)                   \
    X(remb_in)                   \
    X(remb_out)                  \
    X(path_moves)                \
    X(path_validations)          \
    X(path_validations_failed)   \
    X(path_takeovers)            \
    X(role_conflicts)            \
    X(consent_lost)              \
    X(never_connected)           \
    X(relay_out)              \
    X(relay_in)               \
    X(drop_unknown_datagram)     \
    X(drop_unknown_path)         \
    X(drop_not_keyed)            \
    X(drop_oversize)             \
    X(drop_stun_malformed)       \
    X(drop_stun_fingerprint)     \
    X(drop_stun_unknown_ufrag)   \
    X(drop_stun_integrity)       \
    X(drop_stun_not_request)     \
    X(drop_stun_unmatched)       \
    X(drop_srtp_replayed)        \
    X(drop_srtp_forged)          \
    X(drop_srtp_failed)          \
    X(drop_srtcp_replayed)       \
    X(drop_srtcp_forged)         \
    X(drop_srtcp_failed)         \
    X(drop_rtp_malformed)        \
    X(drop_rtcp_malformed)       \
    X(drop_unknown_ssrc)         \
    X(drop_ssrc_limit)           \
    X(drop_publish_rate)         \
    X(drop_pool_share)           \
    X(drop_unknown_payload_type) \
    X(drop_malformed_payload)    \
    X(drop_rtx_malformed)        \
    X(drop_duplicate)            \
    X(drop_late)                 \
    X(drop_no_consumer_format)   \
    X(drop_late_for_consumer)    \
    X(drop_protect_failed)       \
    X(drop_relay_full)        \
    X(drop_relay_stale)       \
    X(drop_pool_full)            \
    X(drop_dtls_malformed)       \
    X(drop_dtls_budget)          \
    X(drop_sctp_budget)          \
    X(drop_punt_full)            \
    X(drop_unproven_path)        \
    X(drop_no_path)

typedef struct {
#define FW_COUNTER_FIELD(name) uint64_t name;
    FW_COUNTERS(FW_COUNTER_FIELD)
#undef FW_COUNTER_FIELD
} fw_counters_t;

#define FW_COUNTER_COUNT (sizeof(fw_counters_t) / sizeof(uint64_t))

/* The names in the order of the fields. */
extern const char *const fw_counter_names[FW_COUNTER_COUNT];

#endif
