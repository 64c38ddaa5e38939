/* Frames written to connections, and queued where a socket is full. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tcp_table.h"

#define FIRST_ROOM 16384 /* of a queue */

/* Nothing can be written any more. Its end shows when it is polled: nothing is closed while frames are being read. */
static void give_up(fw_tcp_connection_t *c) {
    c->broken = true;
    free(c->queue);
    c->queue = NULL;
    c->queue_room = c->queue_at = c->queue_used = 0;
    shutdown(c->fd, SHUT_RDWR);
}

/* Returns the bytes that the socket took. */
static size_t write_parts(fw_tcp_t *tcp, fw_tcp_connection_t *c, struct iovec *parts, size_t count) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ENOMEM)
        give_up(c);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    tcp->counters->bytes_out += taken;
    return taken;
}

/* The queued bytes as one or two parts. */
static size_t queued_parts(const fw_tcp_connection_t *c, struct iovec parts[2]) {
    uint32_t straight = c->queue_room - c->queue_at;
    if (c->queue_used <= straight) {
        parts[0] = (struct iovec){c->queue + c->queue_at, c->queue_used};
        return 1;
    }
    parts[0] = (struct iovec){c->queue + c->queue_at, straight};
    parts[1] = (struct iovec){c->queue, c->queue_used - straight};
    return 2;
}

static bool make_queue_room(fw_tcp_connection_t *c, size_t more) {
    struct iovec parts[2];
    uint32_t room = c->queue_room ? c->queue_room : FIRST_ROOM;
    while (room < c->queue_used + more)
        room *= 2;
    if (room == c->queue_room)
        return true;
    uint8_t *queue = malloc(room);
    if (!queue)
        return false;
    size_t copied = 0;
    for (size_t i = 0, count = c->queue_used ? queued_parts(c, parts) : 0; i < count; i++) {
        memcpy(queue + copied, parts[i].iov_base, parts[i].iov_len);
        copied += parts[i].iov_len;
    }
    free(c->queue);
    c->queue = queue;
    c->queue_room = room;
    c->queue_at = 0;
    return true;
}

static void append(fw_tcp_connection_t *c, const uint8_t *data, size_t len) {
    uint32_t end = (c->queue_at + c->queue_used) & (c->queue_room - 1);
    size_t straight = c->queue_room - end < len ? c->queue_room - end : len;
    memcpy(c->queue + end, data, straight);
    memcpy(c->queue, data + straight, len - straight);
    c->queue_used += (uint32_t)len;
}

/* Queues a frame, its length first, of which the socket has taken `sent` bytes already, then into an empty queue. One
 * that was begun has to be ended, or whatever follows it could not be read. */
static void enqueue(fw_tcp_t *tcp, fw_tcp_connection_t *c, const struct iovec frame[2], size_t sent) {
    size_t left = frame[0].iov_len + frame[1].iov_len - sent;
    if (c->broken) {
        tcp->counters->drop_gone++;
        return;
    }
    if (c->queue_used + left > tcp->limits.queue_bytes || !make_queue_room(c, left)) {
        tcp->counters->drop_slow_reader++;
        if (sent > 0)
            give_up(c);
        return;
    }
    for (int i = 0; i < 2; i++) {
        size_t skipped = sent < frame[i].iov_len ? sent : frame[i].iov_len;
        append(c, (const uint8_t *)frame[i].iov_base + skipped, frame[i].iov_len - skipped);
        sent -= skipped;
    }
    tcp->counters->frames_out++;
}

static void flush(fw_tcp_t *tcp) {
    fw_tcp_run_t *run = &tcp->run;
    fw_tcp_connection_t *c = run->to;
    size_t sent = run->frames && !c->queue_used ? write_parts(tcp, c, run->parts, 2 * run->frames) : 0;
    for (size_t i = 0; i < run->frames; i++) {
        const struct iovec *frame = &run->parts[2 * i];
        size_t size = frame[0].iov_len + frame[1].iov_len;
        if (sent >= size) {
            sent -= size;
            tcp->counters->frames_out++;
        } else {
            enqueue(tcp, c, frame, sent);
            sent = 0;
        }
    }
    if (run->frames && c->queue_used && !c->writable && !fw_tcp_watch(tcp, c, true, false))
        give_up(c);
    run->frames = 0;
}

static void add(fw_tcp_t *tcp, const uint8_t *data, size_t len) {
    fw_tcp_run_t *run = &tcp->run;
    if (run->frames == FW_TCP_RUN_FRAMES)
        flush(tcp);
    size_t i = run->frames++;
    run->lengths[i][0] = (uint8_t)(len >> 8);
    run->lengths[i][1] = (uint8_t)len;
    run->parts[2 * i] = (struct iovec){run->lengths[i], 2};
    run->parts[2 * i + 1] = (struct iovec){(void *)(uintptr_t)data, len};
}

void fw_tcp_send(fw_tcp_t *tcp, const fw_udp_message_t *messages, size_t n) {
    fw_tcp_run_t *run = &tcp->run;
    for (size_t i = 0; i < n; i++) {
        const fw_udp_message_t *m = &messages[i];
        uint32_t packet = m->segment && m->segment < m->len ? m->segment : m->len;
        fw_tcp_connection_t *c = fw_tcp_find(tcp, m->path.stream, m->path.serial);
        if (!c || c->broken) {
            tcp->counters->drop_gone += (m->len + packet - 1) / packet;
            continue;
        }
        if (run->to != c)
            flush(tcp);
        run->to = c;
        for (uint32_t at = 0; at < m->len; at += packet)
            add(tcp, m->data + at, m->len - at < packet ? m->len - at : packet);
    }
    flush(tcp);
    run->to = NULL;
}

void fw_tcp_drain(fw_tcp_t *tcp, fw_tcp_connection_t *c) {
    struct iovec parts[2];
    if (!c->queue_used)
        return;
    uint32_t sent = (uint32_t)write_parts(tcp, c, parts, queued_parts(c, parts));
    if (c->broken)
        return;
    c->queue_used -= sent;
    c->queue_at = (c->queue_at + sent) & (c->queue_room - 1);
    if (c->queue_used)
        return;
    free(c->queue);
    c->queue = NULL;
    c->queue_room = c->queue_at = 0;
    if (!fw_tcp_watch(tcp, c, false, false))
        give_up(c);
}
