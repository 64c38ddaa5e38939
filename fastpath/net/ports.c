#include "ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many ports are read in one call, and so many messages of each: what they hold must find room before it is looked at. */
#define EVENTS 32
#define MESSAGES 16

struct fw_ports {
    int epoll;
    uint32_t count;
    fw_udp_counters_t *counters;
    fw_udp_batch_t *batch;
    struct epoll_event events[EVENTS];
    int fds[];
};

static bool watch(const fw_ports_t *ports) {
    for (uint32_t i = 0; i < ports->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(ports->epoll, EPOLL_CTL_ADD, ports->fds[i], &event))
            return false;
    }
    return true;
}

fw_ports_t *fw_ports_create(const int *fds, uint32_t count, fw_udp_counters_t *counters) {
    fw_ports_t *ports = calloc(1, sizeof(*ports) + count * sizeof(*fds));
    if (!ports)
        return NULL;
    ports->counters = counters;
    ports->count = count;
    if (count)
        memcpy(ports->fds, fds, count * sizeof(*fds));
    ports->epoll = epoll_create1(EPOLL_CLOEXEC);
    ports->batch = fw_udp_batch_create(MESSAGES, count ? count : 1, counters);
    if (ports->epoll < 0 || !ports->batch || !watch(ports)) {
        fw_ports_destroy(ports);
        return NULL;
    }
    return ports;
}

void fw_ports_destroy(fw_ports_t *ports) {
    if (!ports)
        return;
    if (ports->epoll >= 0)
        close(ports->epoll);
    fw_udp_batch_destroy(ports->batch);
    free(ports);
}

int fw_ports_fd(const fw_ports_t *ports) { return ports->epoll; }

void fw_ports_receive(fw_ports_t *ports, void (*take)(void *context, const fw_path_t *path, uint8_t *data, size_t len),
                      void *context) {
    fw_udp_datagram_t datagram;
    int ready = epoll_wait(ports->epoll, ports->events, EVENTS, 0);
    for (int i = 0; i < ready; i++) {
        uint32_t port = ports->events[i].data.u32;
        if (fw_udp_receive(ports->fds[port], port, ports->batch) <= 0)
            continue;
        while (fw_udp_next(ports->batch, &datagram)) {
            datagram.path.socket = 0;
            datagram.path.serial = port + 1;
            take(context, &datagram.path, datagram.data, datagram.len);
        }
    }
}

/* The kernel chooses the source address: the port's socket is bound to it, or any will do. */
static void send_packet(fw_ports_t *ports, int fd, const fw_path_t *path, const uint8_t *data, size_t len) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(path->remote.port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(path->remote.port), .sin6_scope_id = path->interface};
    bool ipv4 = path->family == 4;
    if (ipv4)
        memcpy(&v4.sin_addr, path->remote.ip, 4);
    else
        memcpy(&v6.sin6_addr, path->remote.ip, 16);
    const struct sockaddr *peer = ipv4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    ssize_t sent = sendto(fd, data, len, MSG_DONTWAIT, peer, ipv4 ? sizeof(v4) : sizeof(v6));
    ports->counters->syscalls_out++;
    if (sent >= 0) {
        ports->counters->packets_out++;
        ports->counters->bytes_out += len;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM) {
        ports->counters->send_would_block++;
    } else {
        ports->counters->send_refused++;
    }
}

void fw_ports_send(fw_ports_t *ports, const fw_udp_message_t *messages, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const fw_udp_message_t *m = &messages[i];
        uint32_t segment = m->segment && m->segment < m->len ? m->segment : m->len;
        if (m->path.serial == 0 || m->path.serial > ports->count || !m->len) {
            ports->counters->send_refused++;
            continue;
        }
        ports->counters->messages_out++;
        for (uint32_t at = 0; at < m->len; at += segment)
            send_packet(ports, ports->fds[m->path.serial - 1], &m->path, m->data + at,
                        m->len - at < segment ? m->len - at : segment);
    }
}
