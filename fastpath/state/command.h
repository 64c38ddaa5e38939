/* What the control plane can ask of a core, as plain structs of fixed size. `fastpath/messages.py` says it in Python. */
#ifndef FW_STATE_COMMAND_H
#define FW_STATE_COMMAND_H

#include <stdint.h>

#include "../crypto/srtp.h"
#include "../net/path.h"
#include "media.h"

#define FW_UFRAG_BYTES 32
#define FW_PWD_BYTES 64
#define FW_RID_BYTES 16
#define FW_CNAME_BYTES 32
#define FW_ENCODINGS 4  /* of one producer */
#define FW_HIGHEST 0xff
#define FW_NO_WORKER UINT32_MAX

typedef struct {
    uint32_t ssrc;     /* 0: to be learnt */
    uint32_t rtx_ssrc; /* 0: to be learnt */
    uint8_t rid_len;
    char rid[FW_RID_BYTES];
} fw_encoding_spec_t;

typedef enum {
    FW_OPEN_TRANSPORT,
    FW_RESTART_ICE,
    FW_SET_KEYS,
    FW_SET_CONSENT,
    FW_SEND_DATAGRAM, /* the record's tail is the datagram; no result */
    FW_CLOSE_TRANSPORT,
    FW_ADD_PRODUCER,
    FW_REMOVE_PRODUCER,
    FW_ADD_RELAY_TARGET,    /* another worker's copy of a producer gets its packets */
    FW_REMOVE_RELAY_TARGET,
    FW_ADD_CONSUMER,
    FW_BIND_CONSUMER,
    FW_SET_LAYERS,
    FW_REMOVE_CONSUMER,
    FW_READ_STATS,
    FW_CHECK_PATH,    /* asks a peer for a path, instead of waiting to be asked */
    FW_FEED_PACKET,   /* the record's tail is an RTP packet in the clear, for a source of this process; no result */
    FW_FEED_REPORT,
} fw_command_kind_t;

/* FW_OPEN_TRANSPORT; FW_RESTART_ICE takes the credentials only */
struct fw_command_ice {
    uint64_t consent_us; /* the transport closes when no authenticated packet arrives for this time */
    uint64_t connect_us; /* the transport closes when it has no keys after this time */
    uint64_t publish_bps; /* told in REMB to a peer that publishes without transport-cc */
    uint32_t sctp_records_per_s; /* budget of DTLS application data; 0 where no SCTP was negotiated */
    uint32_t sctp_bytes_per_s;
    uint32_t rtcp_ssrc;  /* what its own RTCP is sent under */
    uint16_t first_transport_cc;
    uint8_t ufrag_len; /* of the local credentials */
    uint8_t pwd_len;
    char ufrag[FW_UFRAG_BYTES];
    char pwd[FW_PWD_BYTES];
    uint8_t peer_ufrag_len; /* of the peer's credentials; 0: unknown, so that its paths are not validated by requests */
    uint8_t peer_pwd_len;
    char peer_ufrag[FW_UFRAG_BYTES];
    char peer_pwd[FW_PWD_BYTES];
};

/* FW_CHECK_PATH */
struct fw_command_check {
    fw_path_t path;       /* the peer's address, and what to reach it from; `local_ip` may be zero */
    uint64_t tie_breaker; /* random */
    uint8_t ufrag_len;    /* of the peer's credentials */
    uint8_t pwd_len;
    char ufrag[FW_UFRAG_BYTES];
    char pwd[FW_PWD_BYTES];
};

struct fw_command_keys {
    uint32_t profile; /* fw_srtp_profile_t */
    uint8_t local[FW_SRTP_MAX_KEY_BYTES];
    uint8_t remote[FW_SRTP_MAX_KEY_BYTES];
};

struct fw_command_consent {
    uint64_t consent_us;
};

/* FW_ADD_PRODUCER */
struct fw_command_producer {
    fw_media_t media;
    uint64_t home_id; /* of a copy: the producer's id on its own worker, else 0 */
    uint32_t home_worker; /* FW_NO_WORKER: a source of this process feeds it, `home_id` is not 0 all the same */
    uint32_t encoding_count;
    fw_encoding_spec_t encodings[FW_ENCODINGS];
};

/* FW_FEED_REPORT */
struct fw_command_report {
    uint64_t ntp; /* 32.32 fixed point seconds since 1900, when */
    uint32_t timestamp; /* was the RTP timestamp */
};

struct fw_command_relay_target {
    uint64_t copy_id;
    uint32_t worker;
};

/* FW_ADD_CONSUMER */
struct fw_command_consumer {
    fw_media_t media;
    uint32_t ssrc;
    uint32_t rtx_ssrc;
    uint32_t first_timestamp;
    uint16_t first_seq16; /* 1 to 2^15 - 1 (RFC 3711 section 3.3.1) */
    uint16_t first_rtx_seq16;
    uint8_t mixed_extensions;
    uint8_t cname_len;
    char cname[FW_CNAME_BYTES];
};

struct fw_command_bind {
    uint64_t producer_id; /* 0: none */
    uint8_t formats[FW_FORMATS]; /* by the producer's format: the consumer's, or FW_NO_PT */
    uint8_t same_clock;          /* stamped by the same device as what it was bound to before */
};

/* FW_SET_LAYERS: until the consumer is bound to another producer */
struct fw_command_layers {
    uint8_t encoding; /* by its index, or FW_HIGHEST; one that sends nothing gives way to the highest that does */
    uint8_t spatial;  /* the highest layer to take of VP9, 0-7, or FW_HIGHEST */
    uint8_t temporal; /* of VP8 and VP9, 0-7, or FW_HIGHEST */
};

union fw_command_body {
    struct fw_command_ice ice;
    struct fw_command_check check;
    struct fw_command_keys keys;
    struct fw_command_consent consent;
    struct fw_command_producer producer;
    struct fw_command_report report;
    struct fw_command_relay_target relay_target;
    struct fw_command_consumer consumer;
    struct fw_command_bind bind;
    struct fw_command_layers layers;
};

typedef struct {
    uint32_t kind; /* fw_command_kind_t */
    uint32_t ticket;
    uint64_t id; /* of the transport, producer or consumer that it is about; 0 for a producer of another worker */
    union fw_command_body u;
} fw_command_t;

typedef enum {
    FW_DONE,
    FW_STALE_ID,  /* no such transport, producer or consumer, or no longer */
    FW_LIMIT,     /* a table is full or memory is short */
    FW_DUPLICATE, /* the ufrag or SSRC is in use */
    FW_REFUSED,   /* a value is out of its range */
} fw_error_t;

typedef struct {
    uint64_t id;
    uint32_t ticket;
    uint32_t error; /* fw_error_t */
} fw_result_t;

#endif
