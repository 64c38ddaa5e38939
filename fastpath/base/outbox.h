/* The outbox: outgoing datagrams in one buffer, and the messages that divide it.
 *
 * Adjacent packets of one size to one path form one GSO message. Media is protected in bulk, packets of many viewers together.
 * A full outbox calls its `sink`, which sends the messages.
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
#define FW_OUTBOX_DATAGRAM_BYTES 2048 /* upper bound of one datagram */
#define FW_OUTBOX_RUN_BYTES 65000     /* upper bound of one GSO message */

typedef void fw_outbox_send_t(void *context, const fw_udp_message_t *messages, size_t count);

typedef struct {
    uint8_t *buffer;
    fw_udp_message_t *messages;
    fw_srtp_job_t *jobs;    /* media packets that are not protected yet */
    uint16_t *job_messages; /* the message of each */
    fw_outbox_send_t *sink;
    void *context;
    uint64_t *failed; /* counter of packets that could not be protected */
    size_t used;
    size_t count;
    size_t job_count;
    uint16_t max_segments;
    uint16_t run_segments; /* segments of the last message */
    bool run_open;         /* the last message may take another segment */
    bool holes;            /* a message was emptied, since protecting a packet of it failed */
} fw_outbox_t;

/* `max_segments` (1 to 128) bounds a GSO message. False where memory is short. */
bool fw_outbox_init(fw_outbox_t *o, uint16_t max_segments, fw_outbox_send_t *sink, void *context, uint64_t *failed);
void fw_outbox_free(fw_outbox_t *o);

/* Returns room for one datagram of up to FW_OUTBOX_DATAGRAM_BYTES. Flushes first where the outbox is full. */
uint8_t *fw_outbox_begin(fw_outbox_t *o);

/* Adds the datagram of `len` bytes written at fw_outbox_begin's result. */
void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, size_t len);

/* Returns a job for the next media packet, with `srtp`, `overhead` (fw_srtp_overhead()) and `out` (room as from fw_outbox_begin) set,
 * and all other fields zero. The caller writes the packet and fills in the job. */
fw_srtp_job_t *fw_outbox_begin_media(fw_outbox_t *o, fw_srtp_t *srtp, uint8_t overhead);

/* Bytes of padding that make the packet of that job a full segment of the last message; -1 where it cannot join that message. */
int fw_outbox_short_by(const fw_outbox_t *o, const fw_path_t *path);

/* Adds the packet of that job. The memory that its job points at must not change until fw_outbox_protect or fw_outbox_flush. */
void fw_outbox_add_media(fw_outbox_t *o, const fw_path_t *path);

/* Protects all pending packets. Called before an SRTP context or a plaintext that a job may point at is freed. */
void fw_outbox_protect(fw_outbox_t *o);

/* Protects and sends all, and empties the outbox. */
void fw_outbox_flush(fw_outbox_t *o);

#endif
