/* Datagrams on their way out: one buffer, filled in order, and the messages that cut it up.
 *
 * Packets of one size to one path that lie side by side become one GSO message. A full outbox empties itself into its
 * sink, which has the sockets.
 */
#ifndef FW_FORWARD_OUTBOX_H
#define FW_FORWARD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../net/udp.h"

#define FW_OUTBOX_BYTES (1U << 19)
#define FW_OUTBOX_MESSAGES 512
#define FW_OUTBOX_DATAGRAM_BYTES 2048 /* room for one datagram, the largest that is written here */
#define FW_OUTBOX_RUN_BYTES 65000     /* of one GSO message */

typedef void fw_outbox_sink_t(void *context, const fw_udp_message_t *messages, size_t count);

typedef struct {
    uint8_t *buffer;
    fw_udp_message_t *messages;
    fw_outbox_sink_t *sink;
    void *context;
    size_t used;
    size_t count;
    uint16_t max_segments;
    bool run_open; /* the last message may take another segment */
} fw_outbox_t;

/* `max_segments` (1-128) bounds a GSO message. False where memory is short. */
bool fw_outbox_init(fw_outbox_t *o, uint16_t max_segments, fw_outbox_sink_t *sink, void *context);
void fw_outbox_free(fw_outbox_t *o);

/* Whether another datagram has room; where not, finish what was started and flush. */
static inline bool fw_outbox_has_room(const fw_outbox_t *o) {
    return o->used + FW_OUTBOX_DATAGRAM_BYTES <= FW_OUTBOX_BYTES && o->count < FW_OUTBOX_MESSAGES;
}

/* Where the next datagram is written. */
static inline uint8_t *fw_outbox_at(fw_outbox_t *o) { return o->buffer + o->used; }

/* Takes `len` bytes of the buffer; what is written there is sent once it is added. */
static inline void fw_outbox_reserve(fw_outbox_t *o, size_t len) { o->used += len; }

/* Adds a datagram that lies in the buffer. The caller has seen that there is room. */
void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, const uint8_t *data, size_t len);

/* Sends all and starts afresh. */
void fw_outbox_flush(fw_outbox_t *o);

#endif
