/* Listeners, and who is let in. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp_table.h"

#define BACKLOG 512
#define ACCEPTED_AT_ONCE 32
#define ASKED_FOR_ROOM 32    /* connections asked, when all places are taken, whether they are in use */
#define PAUSE_US 100000      /* without a descriptor left, so long until the next try */
#define SNDBUF_BYTES 262144  /* in flight: 4 Mbit/s at 250 ms need half of it */
#define NOT_SENT_BYTES 32768 /* more than this waits in our queue, whose length we know, and not in the socket */

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

int fw_tcp_listen(fw_tcp_t *tcp, int fd, uint8_t socket_index) {
    if (tcp->listener_count == FW_TCP_LISTENERS)
        return -ENOSPC;
    /* Connections inherit these. Without the last two a slow peer only has older media in its way. */
    int error = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (error)
        return error;
    set(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF_BYTES);
    set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES);
    if (listen(fd, BACKLOG))
        return -errno;
    size_t index = tcp->listener_count;
    tcp->listeners[index].fd = fd;
    tcp->listeners[index].socket = socket_index;
    if (!fw_tcp_watch_listener(tcp, index, true, true))
        return -errno;
    tcp->listener_count++;
    return 0;
}

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} peer_t;

static fw_address_t read_address(const peer_t *peer) {
    fw_address_t address = {0};
    if (peer->any.sa_family == AF_INET) {
        address.family = 4;
        address.port = ntohs(peer->v4.sin_port);
        memcpy(address.ip, &peer->v4.sin_addr, 4);
    } else if (peer->any.sa_family == AF_INET6) {
        address.family = 6;
        address.port = ntohs(peer->v6.sin6_port);
        memcpy(address.ip, &peer->v6.sin6_addr, 16);
    }
    return address;
}

/* Both ends of an accepted connection. */
static fw_path_t read_path(int fd, uint8_t socket_index, const peer_t *peer) {
    peer_t local = {0};
    socklen_t len = sizeof(local);
    fw_path_t path = {.socket = socket_index, .remote = read_address(peer)};
    path.family = path.remote.family;
    if (path.family == 6)
        path.interface = peer->v6.sin6_scope_id;
    if (getsockname(fd, &local.any, &len) == 0) {
        fw_address_t address = read_address(&local);
        memcpy(path.local_ip, address.ip, sizeof(path.local_ip));
    }
    return path;
}

/* Where all places are taken, the oldest that nobody uses goes: a flood of strangers drives out strangers. */
static bool make_room(fw_tcp_t *tcp, uint64_t now_us) {
    for (int asked = 0; !tcp->free_count && asked < ASKED_FOR_ROOM; asked++) {
        if (fw_tcp_renew(tcp, tcp->oldest, now_us))
            continue;
        fw_tcp_close(tcp, tcp->oldest, true);
        tcp->counters->closed_evicted++;
    }
    return tcp->free_count > 0;
}

static void let_in(fw_tcp_t *tcp, int fd, uint8_t socket_index, const peer_t *peer, uint64_t now_us) {
    fw_path_t path = read_path(fd, socket_index, peer);
    if (!path.family || fw_tcp_crowded(tcp, &path.remote) || !make_room(tcp, now_us) ||
        !fw_tcp_add(tcp, fd, &path, now_us)) {
        close(fd);
        tcp->counters->refused++;
        return;
    }
    tcp->counters->accepted++;
}

/* A listener stays readable while nothing can be accepted: so it is not watched for a while. */
static void pause_accepting(fw_tcp_t *tcp, uint64_t now_us) {
    tcp->counters->accept_pauses++;
    tcp->accept_us = now_us + PAUSE_US;
    for (size_t i = 0; i < tcp->listener_count; i++)
        fw_tcp_watch_listener(tcp, i, false, false);
}

void fw_tcp_accept(fw_tcp_t *tcp, size_t listener, uint64_t now_us) {
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        peer_t peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(tcp->listeners[listener].fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            let_in(tcp, fd, tcp->listeners[listener].socket, &peer, now_us);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(tcp, now_us);
        return; /* no connection waits, or it has gone: if others wait, the next poll is at once */
    }
}
