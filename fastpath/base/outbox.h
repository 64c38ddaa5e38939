/* Datagrams on their way out: one buffer, filled in order, and the messages that cut it up.
 *
 * Packets of one size to one path that lie side by side become one GSO message. Media is protected late, many packets of
 * many viewers together. A full outbox empties itself into its sink, which has the sockets.
 */
#ifndef FW_BASE_OUTBOX_H
#define FW_BASE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../crypto/srtp.h"
#include "../net/udp.h"

#define FW_OUTBOX_BYTES (1U << 19)
#define FW_OUTBOX_MESSAGES 512
#define FW_OUTBOX_JOBS 64
#define FW_OUTBOX_DATAGRAM_BYTES 2048 /* room for one datagram, the largest that is written here */
#define FW_OUTBOX_RUN_BYTES 65000     /* of one GSO message */

typedef void fw_outbox_send_t(void *context, const fw_udp_message_t *messages, size_t count);

typedef struct {
    uint8_t *buffer;
    fw_udp_message_t *messages;
    fw_srtp_job_t *jobs;    /* not protected yet */
    uint16_t *job_messages; /* where each of them lies */
    fw_outbox_send_t *sink;
    void *context;
    uint64_t *failed; /* counts packets that could not be protected */
    size_t used;
    size_t count;
    size_t job_count;
    uint16_t max_segments;
    uint16_t run_segments; /* of the last message, */
    bool run_open;         /* which may take another one */
    bool holes;            /* a message is empty, since it could not be protected */
} fw_outbox_t;

/* `max_segments` (1-128) bounds a GSO message. False where memory is short. */
bool fw_outbox_init(fw_outbox_t *o, uint16_t max_segments, fw_outbox_send_t *sink, void *context, uint64_t *failed);
void fw_outbox_free(fw_outbox_t *o);

/* Where the next datagram of up to FW_OUTBOX_DATAGRAM_BYTES is written; flushes first where there is no room. */
uint8_t *fw_outbox_begin(fw_outbox_t *o);

/* Adds the datagram that was written there. */
void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, size_t len);

/* The job of the next media packet: of that context, with its fw_srtp_overhead(), to be written at fw_outbox_begin's place,
 * else zero. */
fw_srtp_job_t *fw_outbox_begin_media(fw_outbox_t *o, fw_srtp_t *srtp, uint8_t overhead);

/* Bytes that padding must add to that packet, once it is written, to make it a full segment of the last message; -1
 * where it will not be one. */
int fw_outbox_short_by(const fw_outbox_t *o, const fw_path_t *path);

/* Adds that packet. What its job points at stays as it is until fw_outbox_protect or fw_outbox_flush. */
void fw_outbox_add_media(fw_outbox_t *o, const fw_path_t *path);

/* Protects what waits for it. To be called before a context or a plaintext that may be waited for goes away. */
void fw_outbox_protect(fw_outbox_t *o);

/* Sends all and starts afresh. */
void fw_outbox_flush(fw_outbox_t *o);

#endif
