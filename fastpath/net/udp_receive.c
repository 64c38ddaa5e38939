/* recvmmsg into large buffers, and the packets that UDP_GRO coalesced taken apart again. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "udp.h"

#define BUFFER_BYTES 65536 /* over the largest UDP payload, so nothing coalesced is cut */
#define MOST_MESSAGES 1024 /* the kernel's own bound (UIO_MAXIOV) */
#define MOST_ERRORS 16     /* in a row: then it is the socket that is broken */

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} peer_t;

typedef struct {
    alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
                                          CMSG_SPACE(sizeof(uint32_t))];
} control_t;

struct fw_udp_batch {
    fw_udp_counters_t *counters;
    size_t capacity;
    size_t count;   /* messages of the last receive */
    size_t at;      /* the one being taken apart, */
    size_t offset;  /* the next packet in it, */
    size_t packet;  /* the bytes of each of its packets, */
    fw_path_t path; /* and where they came from */
    uint32_t socket;
    uint32_t *overflow; /* each socket's drop count as last told; it wraps */
    struct mmsghdr *headers;
    struct iovec *parts;
    peer_t *peers;
    control_t *controls;
    uint8_t *buffers;
};

/* The kernel overwrites these lengths in the entries it uses. */
static void rearm(fw_udp_batch_t *batch, size_t used) {
    for (size_t i = 0; i < used; i++) {
        batch->headers[i].msg_hdr.msg_namelen = sizeof(peer_t);
        batch->headers[i].msg_hdr.msg_controllen = sizeof(control_t);
    }
}

fw_udp_batch_t *fw_udp_batch_create(size_t messages, uint32_t sockets, fw_udp_counters_t *counters) {
    if (!messages || messages > MOST_MESSAGES || !sockets)
        return NULL;
    fw_udp_batch_t *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->counters = counters;
    batch->capacity = messages;
    batch->overflow = calloc(sockets, sizeof(*batch->overflow));
    batch->headers = calloc(messages, sizeof(*batch->headers));
    batch->parts = calloc(messages, sizeof(*batch->parts));
    batch->peers = calloc(messages, sizeof(*batch->peers));
    batch->controls = calloc(messages, sizeof(*batch->controls));
    void *buffers =
        mmap(NULL, messages * BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    batch->buffers = buffers == MAP_FAILED ? NULL : buffers;
    if (!batch->overflow || !batch->headers || !batch->parts || !batch->peers || !batch->controls || !batch->buffers) {
        fw_udp_batch_destroy(batch);
        return NULL;
    }
    for (size_t i = 0; i < messages; i++) {
        batch->parts[i] = (struct iovec){.iov_base = batch->buffers + i * BUFFER_BYTES, .iov_len = BUFFER_BYTES};
        batch->headers[i].msg_hdr = (struct msghdr){.msg_name = &batch->peers[i],
                                                    .msg_iov = &batch->parts[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = &batch->controls[i]};
    }
    rearm(batch, messages);
    return batch;
}

void fw_udp_batch_destroy(fw_udp_batch_t *batch) {
    if (!batch)
        return;
    if (batch->buffers)
        munmap(batch->buffers, batch->capacity * BUFFER_BYTES);
    free(batch->controls);
    free(batch->peers);
    free(batch->parts);
    free(batch->headers);
    free(batch->overflow);
    free(batch);
}

int fw_udp_receive(int fd, uint32_t socket_index, fw_udp_batch_t *batch) {
    rearm(batch, batch->count);
    batch->count = batch->at = batch->offset = 0;
    batch->socket = socket_index;
    for (int errors = 1;; errors++) {
        int received = recvmmsg(fd, batch->headers, (unsigned)batch->capacity, MSG_DONTWAIT, NULL);
        batch->counters->syscalls_in++;
        if (received >= 0) {
            batch->count = (size_t)received;
            batch->counters->messages_in += batch->count;
            return received;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        batch->counters->receive_errors++;
        if (errors == MOST_ERRORS)
            return -errno;
    }
}

static bool link_local(const uint8_t ip[16]) { return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80; }

static void read_peer(fw_path_t *path, const peer_t *peer) {
    if (peer->any.sa_family == AF_INET) {
        path->family = 4;
        path->remote.port = ntohs(peer->v4.sin_port);
        memcpy(path->remote.ip, &peer->v4.sin_addr, 4);
    } else {
        path->family = 6;
        path->remote.port = ntohs(peer->v6.sin6_port);
        memcpy(path->remote.ip, &peer->v6.sin6_addr, 16);
    }
    path->remote.family = path->family;
}

static void read_control(fw_udp_batch_t *batch, const struct cmsghdr *c) {
    fw_path_t *path = &batch->path;
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        int bytes;
        memcpy(&bytes, CMSG_DATA(c), sizeof(bytes));
        batch->packet = bytes > 0 ? (size_t)bytes : batch->packet;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        memcpy(path->local_ip, &info.ipi_spec_dst, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        memcpy(path->local_ip, &info.ipi6_addr, 16);
        if (link_local(path->local_ip) || link_local(path->remote.ip))
            path->interface = (uint32_t)info.ipi6_ifindex;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
        uint32_t dropped;
        memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
        batch->counters->receive_overflow += (uint32_t)(dropped - batch->overflow[batch->socket]);
        batch->overflow[batch->socket] = dropped;
    }
}

/* Reads where the message at `at` came from and how it splits. False when the kernel cut it. */
static bool open_message(fw_udp_batch_t *batch) {
    struct msghdr *header = &batch->headers[batch->at].msg_hdr;
    size_t len = batch->headers[batch->at].msg_len;
    if (header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        batch->counters->truncated++;
        return false;
    }
    batch->path = (fw_path_t){.socket = (uint8_t)batch->socket};
    batch->packet = len;
    read_peer(&batch->path, &batch->peers[batch->at]);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
        read_control(batch, c);

    size_t packets = len > batch->packet ? (len + batch->packet - 1) / batch->packet : 1;
    batch->counters->packets_in += packets;
    batch->counters->bytes_in += len;
    batch->counters->gro_coalesced += packets > 1 ? packets : 0;
    return true;
}

bool fw_udp_next(fw_udp_batch_t *batch, fw_udp_datagram_t *out) {
    for (; batch->at < batch->count; batch->at++) {
        if (batch->offset == 0 && !open_message(batch))
            continue;
        size_t left = batch->headers[batch->at].msg_len - batch->offset;
        out->data = batch->buffers + batch->at * BUFFER_BYTES + batch->offset;
        out->len = left < batch->packet ? left : batch->packet;
        out->path = batch->path;
        batch->offset += out->len;
        if (out->len == left) {
            batch->offset = 0;
            batch->at++;
        }
        return true;
    }
    return false;
}
