/* The functions by which a core sends datagrams, punts to Python, relays to other workers and reports changes. */
#ifndef FW_STATE_CALLBACKS_H
#define FW_STATE_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../base/outbox.h"
#include "../base/record.h"
#include "../net/path.h"

/* Record from one worker to another. PACKET: a decrypted RTP packet. HISTORY: the same, cached before the other worker had its copy of
 * the producer. REPORT: a sender report. KEYFRAME: a keyframe request.
 * PARAMETER_SETS: an aggregation packet of H.264 or H.265. */
typedef enum { FW_RELAY_PACKET, FW_RELAY_HISTORY, FW_RELAY_REPORT, FW_RELAY_KEYFRAME, FW_RELAY_PARAMETER_SETS } fw_relay_kind_t;

typedef struct {
    uint64_t producer_id; /* on the receiving worker */
    uint64_t arrival_us;
    uint64_t seq64;
    uint64_t given_up;  /* FW_RELAY_PACKET: fw_nack_t.given_up of the encoding */
    uint64_t ntp;       /* FW_RELAY_REPORT */
    uint32_t timestamp; /* FW_RELAY_REPORT */
    uint8_t encoding;
    uint8_t encodings; /* FW_RELAY_KEYFRAME: bit i for encoding i */
    uint8_t by_arrival; /* FW_RELAY_REPORT: fw_encoding_t.clock_by_arrival */
    uint8_t codec;      /* FW_RELAY_PARAMETER_SETS: fw_sets_codec_t */
} fw_relay_head_t;

/* State of a transport as the control plane sees it. */
#define FW_TRANSPORT_CHANGE_FIELDS(X, S)                                                                     \
    X(S, NUMBER, uint64_t, transport)            /* id */                                                    \
    X(S, NUMBER, uint32_t, state)                /* fw_transport_state_t */                                  \
    X(S, NUMBER, uint32_t, reason)               /* fw_close_reason_t */                                     \
    X(S, SET, uint32_t, kinds_with_media) /* bit i: a producer of fw_kind_t i has fw_producer_t.has_media */ \
    X(S, HIDDEN, uint32_t, reserved)                                                                         \
    X(S, PATH, fw_path_t, path)
FW_STRUCT(fw_transport_change_t, FW_TRANSPORT_CHANGE_FIELDS);

/* A callback must not call into the core. `context` is passed to each. */
typedef struct {
    void *context;
    fw_outbox_send_t *send;
    /* Queues a datagram for Python. False where the queue is full. */
    bool (*punt)(void *context, uint64_t transport_id, const uint8_t *data, size_t len);
    /* Queues a record for another worker. False where its queue is full. */
    bool (*relay)(void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body,
                 size_t len);
    /* The state, the path, the current layers or kinds_with_media of a transport have changed. */
    void (*changed)(void *context, const fw_transport_change_t *change);
} fw_callbacks_t;

#endif
