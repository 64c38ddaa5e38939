/* How a core reaches the world outside: sockets, Python and other workers. */
#ifndef FW_STATE_CALLBACKS_H
#define FW_STATE_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../base/outbox.h"
#include "../net/path.h"

/* A record that one worker hands to another: a packet in the clear, one that came before the other had a copy, a sender
 * report, or a wish for a keyframe. */
typedef enum { FW_RELAY_PACKET, FW_RELAY_HISTORY, FW_RELAY_REPORT, FW_RELAY_KEYFRAME } fw_relay_kind_t;

typedef struct {
    uint64_t producer_id; /* on the receiving worker */
    uint64_t arrival_us;
    uint64_t seq64;
    uint64_t given_up;  /* FW_RELAY_PACKET: see fw_nack_t */
    uint64_t ntp;       /* FW_RELAY_REPORT */
    uint32_t timestamp; /* FW_RELAY_REPORT */
    uint8_t encoding;
    uint8_t encodings; /* FW_RELAY_KEYFRAME: a bit each */
    uint8_t reserved[2];
} fw_relay_head_t;

/* What the world must know of a transport, as one plain value. */
typedef struct {
    uint64_t id;
    uint32_t state;
    uint32_t reason;
    fw_path_t path;
} fw_transport_change_t;

/* How a core reaches the world. None of these may call back into the core. */
typedef struct {
    void *context;
    fw_outbox_send_t *send;
    /* A datagram for Python; false where it had no room. */
    bool (*punt)(void *context, uint64_t transport_id, const uint8_t *data, size_t len);
    /* A record for another worker; false where it had no room. */
    bool (*relay)(void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body,
                 size_t len);
    void (*changed)(void *context, const fw_transport_change_t *change);
} fw_callbacks_t;

#endif
