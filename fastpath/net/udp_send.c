/* sendmmsg with GSO and pinned source addresses, and what to do about each way the kernel may refuse. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "udp.h"

#define QUEUE 64             /* messages a system call: enough to hide its cost, few enough to stay in the L1 cache */
#define REFUSALS 8           /* GSO messages refused in a row before a socket pauses GSO */
#define PAUSED_MESSAGES 4096 /* then so many go plainly before one is tried again */

typedef union {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} peer_t;

typedef struct {
    alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
} control_t;

/* Entries for one sendmmsg, all of one socket: whole messages, or single packets of some. */
typedef struct {
    int fd;
    uint8_t socket;
    size_t count;
    struct mmsghdr headers[QUEUE];
    struct iovec parts[QUEUE];
    peer_t peers[QUEUE];
    control_t controls[QUEUE];
    const fw_udp_message_t *messages[QUEUE];
    uint32_t packets[QUEUE]; /* in each entry; more than one: GSO */
} queue_t;

typedef struct {
    bool gso;
    bool blocked;     /* its send buffer filled up during this call */
    uint8_t refusals; /* GSO messages refused since one was last taken, at most REFUSALS */
    uint32_t paused;  /* GSO messages still to be sent plainly */
} socket_state_t;

struct fw_udp_sender {
    fw_udp_counters_t *counters;
    size_t sockets;
    socket_state_t state[FW_UDP_SOCKETS];
    queue_t queue;
    queue_t plain; /* the packets of one refused GSO message out of `queue` */
};

fw_udp_sender_t *fw_udp_sender_create(const fw_udp_caps_t *caps, size_t sockets, fw_udp_counters_t *counters) {
    if (!sockets || sockets > FW_UDP_SOCKETS)
        return NULL;
    fw_udp_sender_t *sender = calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->counters = counters;
    sender->sockets = sockets;
    for (size_t i = 0; i < sockets; i++)
        sender->state[i].gso = caps[i].gso;
    return sender;
}

void fw_udp_sender_destroy(fw_udp_sender_t *sender) { free(sender); }

static uint32_t packets_in(const fw_udp_message_t *m) {
    return m->segment && m->segment < m->len ? (m->len + m->segment - 1) / m->segment : 1;
}

static socklen_t write_peer(peer_t *peer, const fw_path_t *path) {
    if (path->family == 4) {
        peer->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(path->remote.port)};
        memcpy(&peer->v4.sin_addr, path->remote.ip, 4);
        return sizeof(peer->v4);
    }
    peer->v6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(path->remote.port), .sin6_scope_id = path->interface};
    memcpy(&peer->v6.sin6_addr, path->remote.ip, 16);
    return sizeof(peer->v6);
}

/* Appends one control message at `offset` and returns the offset after it. */
static size_t write_control(control_t *control, size_t offset, int level, int type, const void *data, size_t len) {
    struct cmsghdr *c = (struct cmsghdr *)(control->bytes + offset);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    return offset + CMSG_SPACE(len);
}

/* The source address, which the kernel ignores where it is zero, and for several packets their size. */
static size_t write_controls(control_t *control, const fw_path_t *path, uint32_t packets, uint16_t segment) {
    size_t end;
    if (path->family == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, path->local_ip, 4);
        end = write_control(control, 0, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = path->interface};
        memcpy(&info.ipi6_addr, path->local_ip, 16);
        end = write_control(control, 0, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    return packets > 1 ? write_control(control, end, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) : end;
}

static void flush(fw_udp_sender_t *sender, queue_t *queue);

/* Queues `len` bytes of a message from `offset` on, which are one packet or, with GSO, several. */
static void add(fw_udp_sender_t *sender, queue_t *queue, const fw_udp_message_t *m, uint32_t offset, uint32_t len) {
    if (queue->count == QUEUE)
        flush(sender, queue);
    size_t i = queue->count++;
    uint32_t packets = len == m->len ? packets_in(m) : 1;
    queue->messages[i] = m;
    queue->packets[i] = packets;
    queue->parts[i] = (struct iovec){.iov_base = (void *)(uintptr_t)(m->data + offset), .iov_len = len};
    queue->headers[i].msg_hdr = (struct msghdr){.msg_name = &queue->peers[i],
                                                .msg_namelen = write_peer(&queue->peers[i], &m->path),
                                                .msg_iov = &queue->parts[i],
                                                .msg_iovlen = 1,
                                                .msg_control = &queue->controls[i]};
    queue->headers[i].msg_hdr.msg_controllen = write_controls(&queue->controls[i], &m->path, packets, m->segment);
}

static void add_plainly(fw_udp_sender_t *sender, queue_t *queue, const fw_udp_message_t *m) {
    for (uint32_t offset = 0; offset < m->len; offset += m->segment)
        add(sender, queue, m, offset, m->len - offset < m->segment ? m->len - offset : m->segment);
}

/* Sends the GSO message that failed with `error` as single packets. Whether GSO is to blame shows in their fate.
 * EMSGSIZE says that a segment is over the link's MTU, which older kernels report as EINVAL too: so one refusal, which
 * may be about one peer's link, does not turn GSO off, and a row of them only for a while. */
static void send_refused_gso(fw_udp_sender_t *sender, const queue_t *queue, size_t i, int error) {
    fw_udp_counters_t *counters = sender->counters;
    socket_state_t *state = &sender->state[queue->socket];
    if (error == EMSGSIZE)
        counters->gso_oversize++;
    else
        counters->gso_refused++;
    uint64_t before = counters->packets_out;
    sender->plain.fd = queue->fd;
    sender->plain.socket = queue->socket;
    add_plainly(sender, &sender->plain, queue->messages[i]);
    flush(sender, &sender->plain);
    if (error == EMSGSIZE || counters->packets_out == before)
        return;
    if (state->refusals < REFUSALS)
        state->refusals++;
    if (state->refusals == REFUSALS)
        state->paused = PAUSED_MESSAGES;
}

/* Whether the kernel takes the packet once it may fragment it. */
static bool send_in_fragments(fw_udp_sender_t *sender, queue_t *queue, size_t i) {
    int allow = IP_PMTUDISC_DONT, forbid = IP_PMTUDISC_DO;
    if (setsockopt(queue->fd, IPPROTO_IP, IP_MTU_DISCOVER, &allow, sizeof(allow)))
        return false;
    ssize_t sent = sendmsg(queue->fd, &queue->headers[i].msg_hdr, MSG_DONTWAIT);
    setsockopt(queue->fd, IPPROTO_IP, IP_MTU_DISCOVER, &forbid, sizeof(forbid));
    sender->counters->syscalls_out += 3;
    sender->counters->fragmented += sent >= 0;
    return sent >= 0;
}

static bool about_gso(int error) {
    return error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

static void count_sent(fw_udp_sender_t *sender, const queue_t *queue, size_t i) {
    sender->counters->messages_out++;
    sender->counters->packets_out += queue->packets[i];
    sender->counters->bytes_out += queue->parts[i].iov_len;
    if (queue->packets[i] > 1)
        sender->state[queue->socket].refusals = 0;
}

/* sendmmsg stops at the first entry that fails and tells why only when that comes first: so it is asked again from
 * there, and a failed entry is dealt with and passed over. */
static void flush(fw_udp_sender_t *sender, queue_t *queue) {
    fw_udp_counters_t *counters = sender->counters;
    bool *blocked = &sender->state[queue->socket].blocked;
    size_t at = 0;
    while (at < queue->count && !*blocked) {
        int sent = sendmmsg(queue->fd, queue->headers + at, (unsigned)(queue->count - at), MSG_DONTWAIT);
        counters->syscalls_out++;
        for (int i = 0; i < sent; i++)
            count_sent(sender, queue, at++);
        if (sent > 0 || errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM)
            *blocked = true;
        else if (queue->packets[at] > 1 && about_gso(errno))
            send_refused_gso(sender, queue, at++, errno);
        else if (errno == EMSGSIZE && send_in_fragments(sender, queue, at))
            count_sent(sender, queue, at++);
        else
            counters->send_refused += queue->packets[at++];
    }
    for (; at < queue->count; at++)
        counters->send_would_block += queue->packets[at];
    queue->count = 0;
}

/* Whether a message of several packets goes as one now. */
static bool use_gso(fw_udp_sender_t *sender, size_t socket) {
    socket_state_t *state = &sender->state[socket];
    if (state->gso && !state->paused)
        return true;
    if (state->paused)
        state->paused--;
    sender->counters->gso_refused++;
    return false;
}

size_t fw_udp_send(const int *fds, size_t fd_count, fw_udp_sender_t *sender, const fw_udp_message_t *messages,
                   size_t n) {
    queue_t *queue = &sender->queue;
    uint64_t before = sender->counters->packets_out;
    for (size_t i = 0; i < sender->sockets; i++)
        sender->state[i].blocked = false;
    for (size_t i = 0; i < n; i++) {
        const fw_udp_message_t *m = &messages[i];
        uint8_t socket = m->path.socket;
        if (socket >= fd_count || socket >= sender->sockets || (m->path.family != 4 && m->path.family != 6)) {
            sender->counters->send_refused += packets_in(m);
            continue;
        }
        if (queue->socket != socket)
            flush(sender, queue);
        queue->socket = socket;
        queue->fd = fds[socket];
        if (sender->state[socket].blocked)
            sender->counters->send_would_block += packets_in(m);
        else if (packets_in(m) == 1 || use_gso(sender, socket))
            add(sender, queue, m, 0, m->len);
        else
            add_plainly(sender, queue, m);
    }
    flush(sender, queue);
    return (size_t)(sender->counters->packets_out - before);
}
