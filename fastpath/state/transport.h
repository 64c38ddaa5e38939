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
#include "command.h"
#include "sink.h"
#include "types.h"

#define FW_SETTLE_US 30000 /* time for the peer to process our last DTLS flight, before media is sent */
#define FW_KNOWN_PATHS 4   /* validated paths of one transport */
#define FW_KNOWN_CHECKS 16 /* received checks whose transaction is remembered */

typedef enum { FW_NEW, FW_CHECKED, FW_KEYED, FW_CLOSED } fw_transport_state_t;

typedef enum { FW_CLOSE_NONE, FW_CLOSE_REQUESTED, FW_CLOSE_NEVER_CONNECTED, FW_CLOSE_CONSENT_LOST } fw_close_reason_t;

/* The reason of a deadline. */
typedef enum {
    FW_DUE_NOTHING,
    FW_DUE_CLOSE,      /* consent expires, or the time to connect ends */
    FW_DUE_ICE_ASK,    /* a connectivity check of ours */
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
    fw_mark_t *next;
    fw_transport_t *transport;
    bool set;
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

/* The fields that each packet needs come first: they are prefetched together. ICE fields are written by ice/. */
struct fw_transport {
    fw_timer_t timer; /* first: a pointer to the timer is a pointer to its transport */
    fw_consumer_t *pending; /* consumers with packets in this batch */
    const fw_sink_t *sink;
    fw_srtp_t *srtp;
    fw_transport_state_t state;
    uint16_t transport_cc; /* next transport-wide sequence number */
    uint8_t srtp_overhead; /* fw_srtp_overhead() */
    fw_path_t path;        /* current path; family 0 for none */
    uint64_t path_heard_us; /* arrival of the newest authenticated datagram over `path` */
    uint64_t id;
    fw_close_reason_t reason;
    uint32_t rtcp_ssrc;
    fw_credentials_t credentials; /* local */
    fw_credentials_t *previous;   /* the credentials before an ICE restart, until the peer uses the new ones; else NULL */
    fw_ice_ask_t *ask;            /* outgoing checks; NULL for ICE-lite */
    fw_path_t *known;             /* validated paths, the newest first */
    uint8_t known_count;          /* at most FW_KNOWN_PATHS */
    uint32_t checks[FW_KNOWN_CHECKS]; /* digests of the transactions of the latest checks, a ring */
    uint8_t next_check;
    uint64_t opened_us;
    uint64_t consent_us; /* arrival of the newest authenticated check */
    uint64_t consent_timeout_us;
    uint64_t connect_timeout_us;
    uint64_t publish_bps; /* REMB value for a publisher without transport-cc */
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

static inline bool fw_transport_ready(const fw_transport_t *t) { return t->state == FW_KEYED && t->path.family != 0; }

#endif
