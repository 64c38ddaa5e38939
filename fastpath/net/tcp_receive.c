/* The stream of a connection taken apart into frames. */
#include <errno.h>
#include <sys/socket.h>

#include "tcp_table.h"

/* A STUN binding request, by its first bytes (RFC 8489 section 5): all that may come from strangers. */
static bool may_introduce(const uint8_t *data, size_t len) {
    static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};
    return len >= 20 && data[0] == 0 && data[1] == 1 && memcmp(data + 4, cookie, sizeof(cookie)) == 0;
}

static bool deliver(fw_tcp_t *tcp, fw_tcp_connection_t *c, uint8_t *data, size_t len) {
    if (!c->proven && !may_introduce(data, len)) {
        tcp->counters->closed_stranger++;
        return false;
    }
    tcp->counters->frames_in++;
    tcp->owner.receive(tcp->owner.context, &c->path, data, len);
    if (!c->proven)
        c->proven = tcp->owner.in_use(tcp->owner.context, &c->path);
    return true;
}

/* Delivers the frames in `input` that are whole and leaves what follows them at its start. */
static bool take_frames(fw_tcp_t *tcp, fw_tcp_connection_t *c) {
    size_t at = 0;
    while (c->held - at >= 2) {
        size_t len = (size_t)c->input[at] << 8 | c->input[at + 1];
        if (len > FW_TCP_FRAME_BYTES) {
            tcp->counters->closed_oversize++;
            return false;
        }
        if (c->held - at < 2 + len)
            break;
        if (len > 0 && !deliver(tcp, c, c->input + at + 2, len))
            return false;
        at += 2 + len;
    }
    c->held -= (uint32_t)at;
    if (at > 0)
        memmove(c->input, c->input + at, c->held);
    return true;
}

bool fw_tcp_read(fw_tcp_t *tcp, fw_tcp_connection_t *c) {
    ssize_t got = recv(c->fd, c->input + c->held, sizeof(c->input) - c->held, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (got == 0)
        return false;
    c->held += (uint32_t)got;
    tcp->counters->bytes_in += (uint64_t)got;
    return take_frames(tcp, c);
}
