/* One ICE, DTLS and SRTP association with a peer, and the producers and consumers on it. */
#ifndef FW_STATE_TRANSPORT_H
#define FW_STATE_TRANSPORT_H

#include "../base/map.h"
#include "../base/timers.h"
#include "../base/token_bucket.h"
#include "../crypto/hmac.h"
#include "../crypto/srtp.h"
#include "../net/path.h"
#include "../stream/arrivals.h"
#include "../stream/byte_window.h"
#include "../wire/stun.h"
#include "command.h"
#include "sink.h"
#include "types.h"

#define FW_SETTLE_US 30000 /* time for the peer to process our last DTLS flight, before media is sent */
#define FW_KNOWN_PATHS 4   /* paths that one transport remembers */

/* CHECKED: an authenticated STUN check has come, so there is a path. KEYED: SRTP keys are in place as well, and media flows. */
#define FW_TRANSPORT_STATES(X) \
    X(NEW)                     \
    X(CHECKED)                 \
    X(KEYED)                   \
    X(CLOSED)
typedef enum { FW_TRANSPORT_STATES(FW_ENUM) } fw_transport_state_t;

#define FW_CLOSE_REASONS(X) \
    X(NONE)                 \
    X(REQUESTED)            \
    X(NEVER_CONNECTED)      \
    X(CONSENT_LOST)         \
    X(REPLACED)
#define FW_CLOSE_REASON(name) FW_CLOSE_##name,
typedef enum { FW_CLOSE_REASONS(FW_CLOSE_REASON) } fw_close_reason_t;

/* The reason of a deadline. */
typedef enum {
    FW_DUE_NOTHING,
    FW_DUE_CLOSE,      /* consent expires, or the time to connect ends */
    FW_DUE_ICE_ASK,    /* a Binding request of ours: a connectivity check, or the validation of a path */
    FW_DUE_START,      /* consumers get their first target, FW_SETTLE_US after the keys */
    FW_DUE_REPORT,     /* sender and receiver reports */
    FW_DUE_FEEDBACK,   /* transport-wide feedback */
    FW_DUE_KEYFRAME,   /* a keyframe request */
    FW_DUE_HOLDBACK,   /* a packet that is held back until the next one arrives */
    FW_DUE_NACK,
    FW_DUE_BATCH,      /* of the core: the batch is sent */
    FW_DUE_PACE,       /* of the core: paced media is sent, today that of fast start */
} fw_due_t;

/* Entry of a transport in one of the core's lists of marked transports: see marks.h. */
typedef struct fw_mark fw_mark_t;
struct fw_mark {
    fw_mark_t *next; /* NULL where the mark is not set */
};

/* Marked transports in the order in which they were marked. */
typedef struct {
    fw_mark_t *first;
    fw_mark_t *last; /* valid where there is a first */
} fw_mark_list_t;

typedef struct {
    fw_key_t ufrag;
    fw_hmac_t hmac; /* keyed with the password */
    bool set;
} fw_credentials_t;

/* The DTLS datagrams that the control plane gets: see ingress/punt.h. */
typedef struct {
    fw_token_bucket_t handshake; /* in datagrams, before the keys */
    fw_token_bucket_t keyed;     /* in datagrams, after */
    fw_token_bucket_t sctp_records;
    fw_token_bucket_t sctp_bytes;
    uint32_t sctp_records_per_s; /* 0: no SCTP was negotiated */
    uint32_t sctp_bytes_per_s;
} fw_punt_budget_t;

/* A path over which the peer sent an authenticated check. See ice/paths.h. */
typedef struct {
    fw_path_t path;
    uint64_t proven_us;    /* when the peer last proved that it receives over the path, 0: never */
    uint64_t due_us;       /* the next request of its validation, UINT64_MAX where none runs */
    uint32_t credit_bytes; /* DTLS that may still be sent over the path without a proof */
    uint8_t requests;      /* sent in its validation */
    bool open;             /* `transaction` is registered in fw_core_t.by_check */
    bool nominated;        /* the peer nominated it, and it is not in use yet */
    uint8_t transaction[FW_STUN_TRANSACTION_BYTES];
} fw_known_path_t;

/* Digests of STUN transactions in an open-addressing table; 0 marks a free place. */
typedef struct {
    uint32_t *digests;
    uint32_t capacity; /* 0 or a power of two */
    uint32_t count;
} fw_digests_t;

/* The fields that each packet needs come first: they are prefetched together. ICE fields are written by ice/. */
struct fw_transport {
    fw_timer_t timer; /* first: a pointer to the timer is a pointer to its transport */
    fw_consumer_t *pending; /* consumers with packets in this batch */
    const fw_sink_t *sink;
    fw_srtp_t *srtp;
    fw_transport_state_t state;
    uint16_t transport_cc; /* next transport-wide sequence number */
    uint8_t srtp_overhead; /* fw_srtp_overhead() */
    bool path_proven;      /* the peer has proved that it receives over `path`: media may be sent */
    fw_path_t path;        /* current path; family 0 for none */
    uint64_t path_heard_us; /* arrival of the newest authenticated datagram over `path` */
    uint64_t alive_us;     /* arrival of the newest sign of life: see closing_us in core/agenda.c */
    uint64_t id;
    fw_close_reason_t reason;
    uint32_t rtcp_ssrc;
    fw_credentials_t credentials; /* local */
    fw_credentials_t *previous;   /* the credentials before an ICE restart, until the peer uses the new ones; else NULL */
    fw_peer_credentials_t *peer;  /* NULL where they are unknown */
    fw_ice_ask_t *ask;            /* outgoing checks; NULL for ICE-lite */
    fw_known_path_t *known;       /* the newest first */
    uint8_t known_count;          /* at most FW_KNOWN_PATHS */
    bool dtls_sent;               /* a DTLS datagram was sent to the peer */
    uint64_t client_hello;        /* digest of the random of its ClientHello, 0 for none */
    fw_digests_t checks[2];       /* transactions of received checks: see ice/seen_checks.h */
    uint64_t opened_us;
    uint64_t consent_timeout_us;
    uint64_t connect_timeout_us;
    uint64_t publish_bps; /* most that the peer may publish; told by REMB to a publisher without transport-cc */
    fw_token_bucket_t published; /* in bytes of SRTP; written by ingress/police.c */
    fw_punt_budget_t punts;
    uint64_t report_us;   /* deadline of the next SRs and RRs */
    uint64_t start_us;    /* FW_SETTLE_US after the keys: consumers get their first target; then UINT64_MAX */
    uint64_t feedback_us; /* deadline of TWCC feedback, UINT64_MAX where none is due */
    fw_map_t inbound;  /* SSRC → fw_encoding_t, the RTX SSRCs and FW_UNKNOWN_SSRC too */
    fw_map_t outbound; /* SSRC → fw_consumer_t, the RTX SSRCs too */
    fw_producer_t *producers;
    fw_consumer_t *consumers;
    fw_byte_window_t media_sent;   /* media packets, without retransmissions */
    fw_byte_window_t repairs_sent; /* retransmissions */
    fw_arrivals_t *arrivals; /* NULL where no producer negotiated transport-cc */
    int64_t peer_clock_ntp;  /* the peer's NTP time less this server's, in 32.32 s; 0 before its first sender report */
    uint64_t remb_bps;       /* newest REMB of the peer, 0 for none */
    fw_due_t due_reason;     /* of the timer */
    fw_mark_t due;
    fw_mark_t changed;
    fw_mark_t first_report;
};

/* Whether media may be sent: keys are set, and the peer receives over the current path. */
static inline bool fw_transport_ready(const fw_transport_t *t) {
    return t->state == FW_KEYED && t->path_proven && t->path.family != 0;
}

#endif
