#include "tcp_table.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The data of an epoll event: a connection's name, or a listener's index without a serial number. */
static uint64_t name_of(uint16_t stream, uint32_t serial) { return (uint64_t)serial << 16 | stream; }

static bool watch(const fw_tcp_t *tcp, int fd, uint32_t events, uint64_t name, bool first) {
    struct epoll_event event = {.events = events, .data.u64 = name};
    return epoll_ctl(tcp->epoll_fd, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0;
}

bool fw_tcp_watch_listener(fw_tcp_t *tcp, size_t index, bool on, bool first) {
    return watch(tcp, tcp->listeners[index].fd, on ? EPOLLIN : 0, name_of((uint16_t)index, 0), first);
}

bool fw_tcp_watch(fw_tcp_t *tcp, fw_tcp_connection_t *c, bool writable, bool first) {
    uint32_t events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (!watch(tcp, c->fd, events, name_of(c->path.stream, c->path.serial), first))
        return false;
    c->writable = writable;
    return true;
}

fw_tcp_connection_t *fw_tcp_find(const fw_tcp_t *tcp, uint16_t stream, uint32_t serial) {
    fw_tcp_connection_t *c = stream <= tcp->limits.connections ? tcp->by_number[stream] : NULL;
    return c && c->path.serial == serial ? c : NULL;
}

/* What counts as one address: a host's own /64 costs it nothing, so all of IPv6's are taken by their first half. */
static uint64_t network_of(const fw_address_t *remote) {
    uint64_t network;
    memcpy(&network, remote->ip, sizeof(network));
    return network;
}

static fw_tcp_connection_t **bucket_of(const fw_tcp_t *tcp, const fw_address_t *remote) {
    uint64_t network = network_of(remote);
    return &tcp->buckets[fw_path_mix(&network, sizeof(network), tcp->limits.hash_seed) & tcp->bucket_mask];
}

bool fw_tcp_crowded(const fw_tcp_t *tcp, const fw_address_t *remote) {
    size_t found = 0;
    for (const fw_tcp_connection_t *c = *bucket_of(tcp, remote); c; c = c->neighbour)
        found += network_of(&c->path.remote) == network_of(remote) && c->path.family == remote->family;
    return found >= tcp->limits.per_address;
}

static void push_newest(fw_tcp_t *tcp, fw_tcp_connection_t *c, uint64_t now_us) {
    c->lease_us = now_us + tcp->limits.lease_us;
    c->older = tcp->newest;
    c->newer = NULL;
    *(c->older ? &c->older->newer : &tcp->oldest) = c;
    tcp->newest = c;
}

static void unlink_lease(fw_tcp_t *tcp, fw_tcp_connection_t *c) {
    *(c->older ? &c->older->newer : &tcp->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &tcp->newest) = c->older;
}

bool fw_tcp_renew(fw_tcp_t *tcp, fw_tcp_connection_t *c, uint64_t now_us) {
    if (!tcp->owner.in_use(tcp->owner.context, &c->path))
        return false;
    unlink_lease(tcp, c);
    push_newest(tcp, c, now_us);
    return true;
}

fw_tcp_connection_t *fw_tcp_add(fw_tcp_t *tcp, int fd, const fw_path_t *path, uint64_t now_us) {
    fw_tcp_connection_t *c = tcp->free_count ? malloc(sizeof(*c)) : NULL;
    if (!c)
        return NULL;
    memset(c, 0, offsetof(fw_tcp_connection_t, input));
    if (++tcp->last_serial == 0)
        tcp->last_serial = 1;
    c->fd = fd;
    c->path = *path;
    c->path.serial = tcp->last_serial;
    c->path.stream = tcp->free_numbers[tcp->free_count - 1];
    if (!fw_tcp_watch(tcp, c, false, true)) {
        free(c);
        return NULL;
    }
    tcp->free_count--;
    tcp->by_number[c->path.stream] = c;
    fw_tcp_connection_t **bucket = bucket_of(tcp, &path->remote);
    c->neighbour = *bucket;
    *bucket = c;
    push_newest(tcp, c, now_us);
    return c;
}

void fw_tcp_close(fw_tcp_t *tcp, fw_tcp_connection_t *c, bool reset) {
    struct linger at_once = {.l_onoff = 1};
    fw_tcp_connection_t **link = bucket_of(tcp, &c->path.remote);
    while (*link != c)
        link = &(*link)->neighbour;
    *link = c->neighbour;
    unlink_lease(tcp, c);
    tcp->by_number[c->path.stream] = NULL;
    tcp->free_numbers[tcp->free_count++] = c->path.stream;
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(c->fd);
    free(c->queue);
    free(c);
    tcp->counters->closed++;
}
