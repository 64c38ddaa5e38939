/* The commands of the control plane: the object of each, and its fields. fastpath/messages.py has a class for each.
 *
 * A command is a row of FW_COMMANDS, a list of fields where it has any, and a case in core/dispatch.c. base/record.h explains
 * the lists.
 */
#ifndef FW_STATE_COMMAND_H
#define FW_STATE_COMMAND_H

#include <stdint.h>

#include "../base/record.h"
#include "../crypto/srtp.h"
#include "../net/path.h"
#include "media.h"

#define FW_UFRAG_BYTES 32
#define FW_PWD_BYTES 64
#define FW_RID_BYTES 16
#define FW_CNAME_BYTES 32
#define FW_ENCODINGS 4 /* of one producer */
#define FW_HIGHEST 0xff
#define FW_NO_WORKER UINT32_MAX

/* FIELDS(kind, name, class in messages.py, object) is a command with fields, FW_<kind>_FIELDS. BARE(kind, class, object, body)
 * has none; `body` names the bytes that follow it, or is NULL. A command with a body has no result. */
#define FW_COMMANDS(FIELDS, BARE)                                                         \
    FIELDS(OPEN_TRANSPORT, open_transport, OpenTransport, FW_OF_NOTHING)                  \
    FIELDS(RESTART_ICE, restart_ice, RestartIce, FW_OF_TRANSPORT)                         \
    FIELDS(CHECK_PATH, check_path, CheckPath, FW_OF_TRANSPORT)                            \
    FIELDS(SET_KEYS, set_keys, SetKeys, FW_OF_TRANSPORT)                                  \
    FIELDS(SET_CONSENT, set_consent, SetConsent, FW_OF_TRANSPORT)                         \
    BARE(SEND_DATAGRAM, SendDatagram, FW_OF_TRANSPORT, "data")                            \
    BARE(CLOSE_TRANSPORT, CloseTransport, FW_OF_TRANSPORT, NULL)                          \
    BARE(READ_STATISTICS, ReadStatistics, FW_OF_TRANSPORT, NULL)                          \
    FIELDS(ADD_PRODUCER, add_producer, AddProducer, FW_OF_TRANSPORT)                      \
    FIELDS(ADD_RELAYED_PRODUCER, add_relayed_producer, AddRelayedProducer, FW_OF_NOTHING) \
    FIELDS(ADD_SOURCE, add_source, AddSource, FW_OF_NOTHING)                              \
    BARE(FEED_PACKET, FeedPacket, FW_OF_PRODUCER, "packet") /* RTP in the clear */        \
    FIELDS(FEED_REPORT, feed_report, FeedReport, FW_OF_PRODUCER)                          \
    FIELDS(ADD_RELAY_TARGET, add_relay_target, AddRelayTarget, FW_OF_PRODUCER)            \
    FIELDS(REMOVE_RELAY_TARGET, remove_relay_target, RemoveRelayTarget, FW_OF_PRODUCER)   \
    BARE(REMOVE_PRODUCER, RemoveProducer, FW_OF_PRODUCER, NULL)                           \
    FIELDS(ADD_CONSUMER, add_consumer, AddConsumer, FW_OF_TRANSPORT)                      \
    FIELDS(BIND_CONSUMER, bind_consumer, BindConsumer, FW_OF_CONSUMER)                    \
    FIELDS(SET_LAYERS, set_layers, SetLayers, FW_OF_CONSUMER)                             \
    BARE(REMOVE_CONSUMER, RemoveConsumer, FW_OF_CONSUMER, NULL)

#define FW_COMMAND_KIND_OF_FIELDS(kind, name, class_name, object) FW_##kind,
#define FW_COMMAND_KIND_OF_BARE(kind, class_name, object, body) FW_##kind,
typedef enum { FW_COMMANDS(FW_COMMAND_KIND_OF_FIELDS, FW_COMMAND_KIND_OF_BARE) FW_COMMAND_KINDS } fw_command_kind_t;

/* The kind of object that a command's id names. */
typedef enum { FW_OF_NOTHING, FW_OF_TRANSPORT, FW_OF_PRODUCER, FW_OF_CONSUMER } fw_command_object_t;

/* RFC 8445 section 5.3: at least 4 and 22 characters. */
#define FW_ICE_CREDENTIALS_FIELDS(X, S) \
    X(S, TEXT, ufrag, FW_UFRAG_BYTES)   \
    X(S, TEXT, pwd, FW_PWD_BYTES)
FW_STRUCT(fw_ice_credentials_t, FW_ICE_CREDENTIALS_FIELDS);

/* Without them no request validates the peer's paths. Longer ones count as none. */
#define FW_PEER_ICE_CREDENTIALS_FIELDS(X, S)     \
    X(S, SHORT_TEXT, peer_ufrag, FW_UFRAG_BYTES) \
    X(S, SHORT_TEXT, peer_pwd, FW_PWD_BYTES)
FW_STRUCT(fw_peer_ice_credentials_t, FW_PEER_ICE_CREDENTIALS_FIELDS);

#define FW_OPEN_TRANSPORT_FIELDS(X, S)                                                                                \
    X(S, NUMBER, uint64_t, consent_us)  /* the transport closes when no authenticated packet arrives for this time */ \
    X(S, NUMBER, uint64_t, connect_us)  /* the transport closes when it has no keys after this time */                \
    X(S, NUMBER, uint64_t, publish_bps) /* REMB value for a peer that publishes without transport-cc */               \
    X(S, NUMBER, uint32_t, sctp_records_per_s) /* budget of DTLS application data; 0 where no SCTP was negotiated */  \
    X(S, NUMBER, uint32_t, sctp_bytes_per_s)                                                                          \
    X(S, NUMBER, uint32_t, rtcp_ssrc)   /* the sender SSRC of the server's RTCP */                                    \
    X(S, NUMBER, uint16_t, first_transport_cc)                                                                        \
    X(S, PART, fw_ice_credentials_t, local)                                                                           \
    X(S, PART, fw_peer_ice_credentials_t, peer)
FW_STRUCT(fw_open_transport_t, FW_OPEN_TRANSPORT_FIELDS);

#define FW_RESTART_ICE_FIELDS(X, S)         \
    X(S, PART, fw_ice_credentials_t, local) \
    X(S, PART, fw_peer_ice_credentials_t, peer)
FW_STRUCT(fw_restart_ice_t, FW_RESTART_ICE_FIELDS);

#define FW_CHECK_PATH_FIELDS(X, S)                                                                             \
    X(S, ADDRESS, fw_address_t, remote)                                                                        \
    X(S, NUMBER, uint32_t, port)        /* the worker's own port (net/ports.h), from 1; 0: its first socket */ \
    X(S, NUMBER, uint64_t, tie_breaker) /* random (RFC 8445 section 7.3.1.1) */                                \
    X(S, PART, fw_ice_credentials_t, credentials) /* the peer's */
FW_STRUCT(fw_check_path_t, FW_CHECK_PATH_FIELDS);

/* Master key then master salt, each way, as long as the profile's. */
#define FW_SET_KEYS_FIELDS(X, S)                            \
    X(S, NUMBER, uint32_t, profile) /* fw_srtp_profile_t */ \
    X(S, BYTES, local, FW_SRTP_MAX_KEY_BYTES)               \
    X(S, BYTES, remote, FW_SRTP_MAX_KEY_BYTES)
FW_STRUCT(fw_set_keys_t, FW_SET_KEYS_FIELDS);

#define FW_SET_CONSENT_FIELDS(X, S) X(S, NUMBER, uint64_t, consent_us)
FW_STRUCT(fw_set_consent_t, FW_SET_CONSENT_FIELDS);

/* An SSRC of 0 is learned from packets. */
#define FW_ENCODING_SPEC_FIELDS(X, S) \
    X(S, NUMBER, uint32_t, ssrc)      \
    X(S, NUMBER, uint32_t, rtx_ssrc)  \
    X(S, TEXT, rid, FW_RID_BYTES)
FW_STRUCT(fw_encoding_spec_t, FW_ENCODING_SPEC_FIELDS);

#define FW_PRODUCER_SPEC_FIELDS(X, S) \
    X(S, PART, fw_media_t, media)     \
    X(S, LIST, fw_encoding_spec_t, encodings, FW_ENCODINGS)
FW_STRUCT(fw_producer_spec_t, FW_PRODUCER_SPEC_FIELDS);

#define FW_ADD_PRODUCER_FIELDS(X, S) X(S, RECORD, fw_producer_spec_t, spec)
FW_STRUCT(fw_add_producer_t, FW_ADD_PRODUCER_FIELDS);

/* The copy of another worker's producer, which relays its packets. */
#define FW_ADD_RELAYED_PRODUCER_FIELDS(X, S)                                   \
    X(S, NUMBER, uint64_t, home_id) /* the producer's id on its own worker, */ \
    X(S, NUMBER, uint32_t, home_worker) /* which has this index */             \
    X(S, RECORD, fw_producer_spec_t, spec)
FW_STRUCT(fw_add_relayed_producer_t, FW_ADD_RELAYED_PRODUCER_FIELDS);

/* A producer whose packets are fed by commands. */
#define FW_ADD_SOURCE_FIELDS(X, S) X(S, RECORD, fw_producer_spec_t, spec)
FW_STRUCT(fw_add_source_t, FW_ADD_SOURCE_FIELDS);

#define FW_FEED_REPORT_FIELDS(X, S)                                                         \
    X(S, NUMBER, uint64_t, ntp)       /* 32.32 fixed point seconds since 1900, which are */ \
    X(S, NUMBER, uint32_t, timestamp) /* the time of this RTP timestamp */
FW_STRUCT(fw_feed_report_t, FW_FEED_REPORT_FIELDS);

#define FW_ADD_RELAY_TARGET_FIELDS(X, S)                          \
    X(S, NUMBER, uint64_t, copy_id) /* of the producer's copy, */ \
    X(S, NUMBER, uint32_t, worker)  /* on the worker with this index */
FW_STRUCT(fw_add_relay_target_t, FW_ADD_RELAY_TARGET_FIELDS);

#define FW_REMOVE_RELAY_TARGET_FIELDS(X, S) FW_ADD_RELAY_TARGET_FIELDS(X, S)
FW_STRUCT(fw_remove_relay_target_t, FW_REMOVE_RELAY_TARGET_FIELDS);

#define FW_CONSUMER_SPEC_FIELDS(X, S)                                                                \
    X(S, PART, fw_media_t, media)                                                                    \
    X(S, NUMBER, uint32_t, ssrc)                                                                     \
    X(S, NUMBER, uint32_t, rtx_ssrc) /* 0: no RTX */                                                 \
    X(S, NUMBER, uint8_t, mixed_extensions) /* the two-byte form may be used (RFC 8285 section 6) */ \
    X(S, TEXT, cname, FW_CNAME_BYTES)
FW_STRUCT(fw_consumer_spec_t, FW_CONSUMER_SPEC_FIELDS);

#define FW_ADD_CONSUMER_FIELDS(X, S)                                                 \
    X(S, RECORD, fw_consumer_spec_t, spec)                                           \
    X(S, NUMBER, uint32_t, first_timestamp)                                          \
    X(S, NUMBER, uint16_t, first_seq16) /* 1 to 2^15 - 1 (RFC 3711 section 3.3.1) */ \
    X(S, NUMBER, uint16_t, first_rtx_seq16)
FW_STRUCT(fw_add_consumer_t, FW_ADD_CONSUMER_FIELDS);

#define FW_BIND_CONSUMER_FIELDS(X, S)                                                             \
    X(S, NUMBER, uint64_t, producer) /* id, 0: none */                                            \
    X(S, OPTIONALS, formats, FW_FORMATS, FW_NO_PT) /* by the producer's format: the consumer's */ \
    X(S, NUMBER, uint8_t, same_clock)              /* as the producer that it was bound to before */
FW_STRUCT(fw_bind_consumer_t, FW_BIND_CONSUMER_FIELDS);

/* In force until the consumer is bound to another producer. FW_HIGHEST is no limit. */
#define FW_SET_LAYERS_FIELDS(X, S)                                                                            \
    X(S, OPTIONAL, uint8_t, encoding, FW_HIGHEST) /* index; while it sends nothing, the highest that sends */ \
    X(S, OPTIONAL, uint8_t, spatial, FW_HIGHEST)  /* 0-7, of VP9 */                                           \
    X(S, OPTIONAL, uint8_t, temporal, FW_HIGHEST) /* 0-7, of VP8 and VP9 */
FW_STRUCT(fw_set_layers_t, FW_SET_LAYERS_FIELDS);

#define FW_COMMAND_MEMBER(kind, name, class_name, object) fw_##name##_t name;
#define FW_COMMAND_NO_MEMBER(kind, class_name, object, body)
typedef struct {
    uint32_t kind; /* fw_command_kind_t */
    uint32_t ticket;
    uint64_t id; /* of the object that it is about; 0 for FW_OF_NOTHING */
    union fw_command_fields {
        FW_COMMANDS(FW_COMMAND_MEMBER, FW_COMMAND_NO_MEMBER)
    } u;
} fw_command_t;

#define FW_ERRORS(X)                                                                  \
    X(DONE)                                                                           \
    X(STALE_ID)  /* there is no such transport, producer or consumer, or no longer */ \
    X(LIMIT)     /* a table is full or memory is short */                             \
    X(DUPLICATE) /* the ufrag, SSRC or key is in use */                               \
    X(REFUSED)   /* a value is out of its range */
typedef enum { FW_ERRORS(FW_ENUM) } fw_error_t;

#define FW_RESULT_FIELDS(X, S)                                            \
    X(S, NUMBER, uint64_t, id) /* of the object that was made or named */ \
    X(S, NUMBER, uint32_t, ticket)                                        \
    X(S, NUMBER, uint32_t, error) /* fw_error_t */
FW_STRUCT(fw_result_t, FW_RESULT_FIELDS);

#endif
