#include "tcp.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tcp_table.h"

/* So many connections are served a call, one read each: with the smallest frames that media can come in they are about
 * 1200, well within a round of the worker. The kernel serves those that wait longest first. */
#define EVENTS 8

#define NAME(name) #name,
const char *const fw_tcp_counter_names[FW_TCP_COUNTER_COUNT] = {FW_TCP_COUNTERS(NAME)};

fw_tcp_t *fw_tcp_create(const fw_tcp_limits_t *limits, const fw_tcp_owner_t *owner, fw_tcp_counters_t *counters) {
    fw_tcp_t *tcp = calloc(1, sizeof(*tcp));
    if (!tcp)
        return NULL;
    size_t numbers = (size_t)limits->connections + 1;
    uint32_t buckets = 1;
    while (buckets < numbers)
        buckets *= 2;
    tcp->limits = *limits;
    tcp->owner = *owner;
    tcp->counters = counters;
    tcp->accept_us = UINT64_MAX;
    tcp->bucket_mask = buckets - 1;
    tcp->free_numbers = calloc(numbers, sizeof(*tcp->free_numbers));
    tcp->by_number = calloc(numbers, sizeof(*tcp->by_number));
    tcp->buckets = calloc(buckets, sizeof(*tcp->buckets));
    tcp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!tcp->free_numbers || !tcp->by_number || !tcp->buckets || tcp->epoll_fd < 0) {
        fw_tcp_destroy(tcp);
        return NULL;
    }
    for (uint16_t number = limits->connections; number > 0; number--)
        tcp->free_numbers[tcp->free_count++] = number;
    return tcp;
}

void fw_tcp_shut(fw_tcp_t *tcp) {
    while (tcp->oldest)
        fw_tcp_close(tcp, tcp->oldest, false);
    for (size_t i = 0; i < tcp->listener_count; i++)
        epoll_ctl(tcp->epoll_fd, EPOLL_CTL_DEL, tcp->listeners[i].fd, NULL);
    tcp->listener_count = 0;
    tcp->accept_us = UINT64_MAX;
}

void fw_tcp_destroy(fw_tcp_t *tcp) {
    if (!tcp)
        return;
    fw_tcp_shut(tcp);
    if (tcp->epoll_fd >= 0)
        close(tcp->epoll_fd);
    free(tcp->buckets);
    free(tcp->by_number);
    free(tcp->free_numbers);
    free(tcp);
}

int fw_tcp_fd(const fw_tcp_t *tcp) { return tcp->epoll_fd; }

static void serve(fw_tcp_t *tcp, fw_tcp_connection_t *c, uint32_t events) {
    if (events & EPOLLOUT)
        fw_tcp_drain(tcp, c);
    if (c->broken || ((events & ~(uint32_t)EPOLLOUT) && !fw_tcp_read(tcp, c)))
        fw_tcp_close(tcp, c, true);
}

void fw_tcp_poll(fw_tcp_t *tcp, uint64_t now_us) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(tcp->epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < ready; i++) {
        uint16_t stream = (uint16_t)events[i].data.u64;
        uint32_t serial = (uint32_t)(events[i].data.u64 >> 16);
        if (!serial) {
            fw_tcp_accept(tcp, stream, now_us);
            continue;
        }
        fw_tcp_connection_t *c = fw_tcp_find(tcp, stream, serial);
        if (c) /* else one accepted just now has taken its place */
            serve(tcp, c, events[i].events);
    }
}

void fw_tcp_tick(fw_tcp_t *tcp, uint64_t now_us) {
    while (tcp->oldest && tcp->oldest->lease_us <= now_us) {
        if (fw_tcp_renew(tcp, tcp->oldest, now_us))
            continue;
        fw_tcp_close(tcp, tcp->oldest, true);
        tcp->counters->closed_unused++;
    }
    if (tcp->accept_us > now_us)
        return;
    tcp->accept_us = UINT64_MAX;
    for (size_t i = 0; i < tcp->listener_count; i++)
        fw_tcp_watch_listener(tcp, i, true, false);
}

uint64_t fw_tcp_next_us(const fw_tcp_t *tcp) {
    uint64_t lease_us = tcp->oldest ? tcp->oldest->lease_us : UINT64_MAX;
    return lease_us < tcp->accept_us ? lease_us : tcp->accept_us;
}
