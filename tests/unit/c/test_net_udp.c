/* UDP in batches over loopback and over a link of MTU 1300 made by net_link.sh: datagrams arrive byte for byte from the
 * expected address; each kind of kernel error is counted and affects no other datagram. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/udp.h"
#include "net/wake.h"
#include "net_check.h"

#define SOCKETS 4

/* Sockets with their sender and their received datagrams. */
typedef struct {
    int fds[SOCKETS];
    uint16_t ports[SOCKETS];
    fw_udp_caps_t caps[SOCKETS];
    size_t count;
    fw_udp_counters_t counters;
    fw_udp_sender_t *sender;
    fw_udp_batch_t *batch;
} party_t;

static const fw_udp_options_t large = {.rcvbuf_bytes = 8 << 20, .sndbuf_bytes = 8 << 20, .gro = true, .gso = true};

static fw_address_t address(const char *ip, uint16_t port) {
    fw_address_t a = {.port = port, .family = strchr(ip, ':') ? 6 : 4};
    CHECK(inet_pton(a.family == 4 ? AF_INET : AF_INET6, ip, a.ip) == 1);
    return a;
}

static uint16_t bind_to(int fd, const char *ip) {
    fw_address_t a = address(ip, 0);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {0};
    socklen_t len = a.family == 4 ? sizeof(to.v4) : sizeof(to.v6);
    to.any.sa_family = a.family == 4 ? AF_INET : AF_INET6;
    memcpy(a.family == 4 ? (void *)&to.v4.sin_addr : (void *)&to.v6.sin6_addr, a.ip, a.family == 4 ? 4 : 16);
    CHECK(bind(fd, &to.any, len) == 0 && getsockname(fd, &to.any, &len) == 0);
    return ntohs(a.family == 4 ? to.v4.sin_port : to.v6.sin6_port);
}

static party_t open_party(const char *ip, size_t sockets, const fw_udp_options_t *options) {
    party_t p = {.count = sockets};
    for (size_t i = 0; i < sockets; i++) {
        int on = 1;
        int family = strchr(ip, ':') ? AF_INET6 : AF_INET;
        p.fds[i] = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (family == AF_INET6)
            setsockopt(p.fds[i], IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        p.ports[i] = bind_to(p.fds[i], ip);
        CHECK(fw_udp_setup(p.fds[i], options, &p.caps[i]) == 0);
        CHECK(p.caps[i].gro == options->gro && p.caps[i].gso == options->gso);
        CHECK(p.caps[i].gso_max_segments >= (options->gso ? 64 : 1));
    }
    return p;
}

/* Counters are kept by address, so this waits until the party lies where it will stay. */
static void start(party_t *p) {
    p->sender = fw_udp_sender_create(p->caps, p->count, &p->counters);
    p->batch = fw_udp_batch_create(16, FW_UDP_SOCKETS, &p->counters);
    CHECK(p->sender && p->batch);
}

static void stop(party_t *p) {
    for (size_t i = 0; i < p->count; i++)
        close(p->fds[i]);
    fw_udp_sender_destroy(p->sender);
    fw_udp_batch_destroy(p->batch);
}

static size_t send_all(party_t *p, const fw_udp_message_t *messages, size_t n) {
    return fw_udp_send(p->fds, p->count, p->sender, messages, n);
}

/* The next datagram of socket `i`, waited for up to 2 s. */
static bool receive(party_t *p, size_t i, fw_udp_datagram_t *out) {
    uint64_t ready;
    while (!fw_udp_next(p->batch, out))
        if (fw_udp_receive(p->fds[i], (uint32_t)i, p->batch) == 0 && fw_wait(&p->fds[i], 1, 2000000, &ready) == 0)
            return false;
    return true;
}

/* Enters the far end's namespace, or comes back (far = false), for sockets opened from then on. */
static void enter(bool far) {
    static int near = -1;
    if (near < 0)
        near = open("/proc/self/ns/net", O_RDONLY);
    int there = far ? open("/run/netns/far", O_RDONLY) : near;
    CHECK(setns(there, CLONE_NEWNET) == 0);
    if (far)
        close(there);
}

static party_t open_far(const char *ip) {
    enter(true);
    party_t p = open_party(ip, 1, &large);
    enter(false);
    return p;
}

static void expect(party_t *to, size_t socket, const fw_udp_message_t *m, uint16_t from_port) {
    size_t packet = m->segment ? m->segment : m->len;
    for (size_t offset = 0; offset < m->len; offset += packet) {
        fw_udp_datagram_t d;
        CHECK(receive(to, socket, &d));
        CHECK(d.len == (m->len - offset < packet ? m->len - offset : packet));
        CHECK(memcmp(d.data, m->data + offset, d.len) == 0);
        CHECK(d.path.socket == socket && d.path.remote.port == from_port);
        CHECK(d.path.family == m->path.family && d.path.remote.family == m->path.family);
        CHECK(memcmp(d.path.local_ip, m->path.remote.ip, 16) == 0);
    }
}

static uint8_t bytes[FW_UDP_GSO_BYTES];

static fw_udp_message_t message(const char *to, uint16_t port, size_t packets, uint16_t segment) {
    fw_udp_message_t m = {.data = bytes, .len = (uint32_t)(packets * segment), .segment = segment};
    m.path.remote = address(to, port);
    m.path.family = m.path.remote.family;
    return m;
}

static void test_any_mix_of_messages_arrives_byte_for_byte(const char *ip) {
    enum { MESSAGES = 300 };
    static fw_udp_message_t messages[MESSAGES];
    party_t from = open_party(ip, 3, &large);
    party_t to = open_party(ip, 2, &large);
    start(&from);
    start(&to);
    uint64_t seed = 3;
    for (int round = 0; round < 4; round++) {
        size_t packets = 0;
        for (size_t i = 0; i < MESSAGES; i++) {
            uint64_t random = next_random(&seed);
            uint16_t segment = (uint16_t)(random % 1400 + 1);
            uint32_t len = (uint32_t)(random >> 16) % (segment * (random & 1 ? 1u : 40u)) + 1;
            messages[i] = message(ip, to.ports[i % 2], 1, segment);
            messages[i].path.socket = (uint8_t)(i / 7 % 3);
            messages[i].data = bytes + (random >> 40) % (sizeof(bytes) - len);
            messages[i].len = len;
            packets += (len + segment - 1) / segment;
        }
        CHECK(send_all(&from, messages, MESSAGES) == packets);
        for (size_t socket = 0; socket < 2; socket++)
            for (size_t i = socket; i < MESSAGES; i += 2)
                expect(&to, socket, &messages[i], from.ports[messages[i].path.socket]);
    }
    CHECK(from.counters.messages_out == 4 * MESSAGES && to.counters.messages_in == 4 * MESSAGES);
    CHECK(from.counters.packets_out == to.counters.packets_in && from.counters.bytes_out == to.counters.bytes_in);
    CHECK(to.counters.gro_coalesced > to.counters.packets_in / 2);
    CHECK(from.counters.syscalls_out < 4 * MESSAGES / 4 && to.counters.syscalls_in < 4 * MESSAGES / 4);
    CHECK(!from.counters.gso_refused && !from.counters.gso_oversize && !to.counters.truncated);
    stop(&from);
    stop(&to);
}

static void test_the_largest_gso_message_the_socket_claims_goes_at_once(const char *ip) {
    party_t p = open_party(ip, 1, &large);
    start(&p);
    size_t most = p.caps[0].gso_max_segments;
    fw_udp_message_t messages[] = {message(ip, p.ports[0], most, (uint16_t)(FW_UDP_GSO_BYTES / most)),
                                   message(ip, p.ports[0], 1, FW_UDP_GSO_BYTES)};
    CHECK(send_all(&p, messages, 2) == most + 1);
    CHECK(p.counters.messages_out == 2 && p.counters.syscalls_out == 1);
    expect(&p, 0, &messages[0], p.ports[0]);
    expect(&p, 0, &messages[1], p.ports[0]);
    stop(&p);
}

/* The receiver is bound to the wildcard address of a host with several addresses; the kernel would answer from another. */
static void test_an_answer_leaves_from_the_address_that_was_asked(const char *any, const char *asked) {
    party_t asker = open_far(any);
    party_t answerer = open_party(any, 1, &large);
    start(&asker);
    start(&answerer);
    fw_udp_message_t question = message(asked, answerer.ports[0], 3, 400);
    bool link_local = strncmp(asked, "fe80", 4) == 0;
    enter(true);
    question.path.interface = link_local ? if_nametoindex("far") : 0;
    enter(false);
    CHECK(send_all(&asker, &question, 1) == 3);
    for (int i = 0; i < 3; i++) {
        fw_udp_datagram_t d;
        CHECK(receive(&answerer, 0, &d));
        CHECK(d.path.interface == (link_local ? if_nametoindex("near") : 0));
        fw_udp_message_t answer = {.path = d.path, .data = d.data, .len = (uint32_t)d.len};
        CHECK(send_all(&answerer, &answer, 1) == 1);
        CHECK(receive(&asker, 0, &d));
        CHECK(memcmp(d.path.remote.ip, question.path.remote.ip, 16) == 0 && d.path.remote.port == answerer.ports[0]);
    }
    stop(&asker);
    stop(&answerer);
}

static void test_segments_over_the_links_mtu_go_as_single_packets(const char *any, const char *far_ip) {
    party_t far = open_far(any);
    party_t near = open_party(any, 1, &large);
    start(&far);
    start(&near);
    fw_udp_message_t small = message(far_ip, far.ports[0], 5, 1000);
    fw_udp_message_t oversize = message(far_ip, far.ports[0], 5, 1290);
    for (int round = 0; round < 20; round++) {
        fw_udp_message_t messages[] = {small, oversize, small};
        CHECK(send_all(&near, messages, 3) == 15);
        for (size_t i = 0; i < 3; i++)
            expect(&far, 0, &messages[i], near.ports[0]);
    }
    CHECK(near.counters.messages_out == 20 * (1 + 5 + 1));
    CHECK(near.counters.gso_oversize + near.counters.gso_refused == 20);
    CHECK(near.counters.fragmented == (strchr(any, ':') ? 0 : 20 * 5)); /* IPv6 has no DF bit to set */
    bool names_the_cause = near.counters.gso_refused == 0; /* EMSGSIZE; kernels before 6.14 return EINVAL here too */
    for (int round = 0; round < 20; round++)
        CHECK(send_all(&near, &oversize, 1) == 5);
    CHECK(send_all(&near, &small, 1) == 5);
    if (names_the_cause)
        CHECK(near.counters.messages_out == 20 * (1 + 5 + 1) + 20 * 5 + 1);
    CHECK(near.counters.send_refused == 0);
    stop(&near);
    stop(&far);
}

/* A socket without checksums takes no GSO: EINVAL. */
static void take_gso(party_t *p, bool yes) {
    int no_check = !yes;
    CHECK(setsockopt(p->fds[0], SOL_SOCKET, SO_NO_CHECK, &no_check, sizeof(no_check)) == 0);
}

static void send_and_expect(party_t *from, party_t *to, const fw_udp_message_t *m) {
    CHECK(send_all(from, m, 1) == m->len / m->segment);
    expect(to, 0, m, from->ports[0]);
}

static void test_a_socket_that_refuses_gso_goes_on_plainly_and_recovers(void) {
    enum { MANY = 6000 };
    party_t far = open_far("0.0.0.0");
    party_t near = open_party("0.0.0.0", 1, &large);
    start(&far);
    start(&near);
    fw_udp_message_t m = message("10.9.0.2", far.ports[0], 3, 100);
    for (int i = 0; i < 24; i++) { /* one refused in four */
        take_gso(&near, i % 4 != 0);
        send_and_expect(&near, &far, &m);
    }
    CHECK(near.counters.gso_refused == 6 && near.counters.messages_out == 18 + 6 * 3);

    near.counters = (fw_udp_counters_t){0};
    take_gso(&near, false);
    for (int i = 0; i < 20; i++)
        send_and_expect(&near, &far, &m);
    CHECK(near.counters.gso_refused == 20 && near.counters.messages_out == 20 * 3);
    CHECK(near.counters.syscalls_out == 8 * 2 + 12); /* GSO was tried eight times, then disabled */

    near.counters = (fw_udp_counters_t){0};
    take_gso(&near, true);
    for (int i = 0; i < MANY; i++)
        send_and_expect(&near, &far, &m);
    CHECK(near.counters.packets_out == 3 * MANY);
    CHECK(near.counters.messages_out > MANY && near.counters.messages_out < 3 * MANY);
    stop(&near);
    stop(&far);
}

/* No host has the destination address, so datagrams wait for the neighbour entry and fill the small send buffer. */
static void test_a_full_send_buffer_drops_the_rest_of_that_socket_only(void) {
    enum { EACH = 100 };
    static fw_udp_message_t messages[2 * EACH];
    const fw_udp_options_t small = {.rcvbuf_bytes = 8 << 20, .sndbuf_bytes = 1, .gro = true, .gso = true};
    party_t p = open_party("0.0.0.0", 2, &small);
    start(&p);
    for (size_t i = 0; i < 2 * EACH; i++) {
        messages[i] = message(i % 4 < 2 ? "10.9.0.99" : "127.0.0.1", p.ports[1], 2, 500);
        messages[i].path.socket = i % 4 < 2 ? 0 : 1;
    }
    size_t sent = send_all(&p, messages, 2 * EACH);
    CHECK(p.counters.send_would_block >= 2 * EACH - 20 && p.counters.send_would_block < 2 * EACH);
    CHECK(sent + p.counters.send_would_block == 4 * EACH);
    CHECK(p.counters.syscalls_out < EACH); /* no further calls for the blocked socket */
    for (size_t i = 0; i < EACH; i++)
        expect(&p, 1, &messages[2], p.ports[1]);

    messages[2].path.socket = 0; /* the kernel soon gives up on that neighbour, and the socket can send again */
    uint64_t deadline = fw_clock_us() + 10000000;
    while (!send_all(&p, &messages[2], 1)) {
        CHECK(fw_clock_us() < deadline);
        usleep(10000);
    }
    expect(&p, 1, &messages[2], p.ports[0]);
    stop(&p);
}

static void test_a_refused_message_harms_no_other(void) {
    party_t p = open_party("0.0.0.0", 1, &large);
    start(&p);
    uint16_t port = p.ports[0];
    fw_udp_message_t messages[9];
    for (size_t i = 0; i < 9; i++)
        messages[i] = message("127.0.0.1", port, 3, (uint16_t)(100 + i));
    messages[0].path.remote = address("203.0.113.1", port); /* no route */
    messages[2].path.remote.port = 0;                       /* EINVAL, which is not GSO's fault */
    messages[4].path.local_ip[0] = 9;                       /* no address of this machine's */
    messages[5].path.socket = 1;                            /* no such socket */
    messages[6].path.family = 0;
    messages[8].path.family = 6; /* over an IPv4 socket */
    for (int i = 0; i < 20; i++)
        CHECK(send_all(&p, &messages[2], 1) == 0);
    CHECK(send_all(&p, messages, 9) == 3 * 3);
    CHECK(p.counters.send_refused == 20 * 3 + 6 * 3);
    expect(&p, 0, &messages[1], port);
    expect(&p, 0, &messages[3], port);
    expect(&p, 0, &messages[7], port);
    CHECK(p.counters.gro_coalesced == 9); /* the refusals did not turn GSO off */
    stop(&p);
}

static void test_packets_that_a_full_receive_buffer_lost_are_counted(void) {
    const fw_udp_options_t tiny = {.rcvbuf_bytes = 4096, .sndbuf_bytes = 8 << 20};
    party_t p = open_party("127.0.0.1", 1, &tiny);
    start(&p);
    fw_udp_message_t m = message("127.0.0.1", p.ports[0], 1, 1000);
    fw_udp_datagram_t d;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 50; i++)
            send_all(&p, &m, 1);
        while (fw_udp_receive(p.fds[0], 0, p.batch) > 0)
            while (fw_udp_next(p.batch, &d))
                CHECK(d.len == 1000);
    }
    send_all(&p, &m, 1); /* the kernel reports the loss with the next packet */
    CHECK(receive(&p, 0, &d));
    CHECK(p.counters.receive_overflow > 100 && p.counters.packets_in + p.counters.receive_overflow == 3 * 50 + 1);
    stop(&p);
}

static void test_an_icmp_error_does_not_keep_datagrams_from_being_received(void) {
    party_t p = open_party("127.0.0.1", 1, &large);
    start(&p);
    int on = 1;
    setsockopt(p.fds[0], IPPROTO_IP, IP_RECVERR, &on, sizeof(on)); /* the kernel reports them on this socket too */
    fw_udp_message_t messages[] = {message("127.0.0.1", 1, 1, 10), message("127.0.0.1", p.ports[0], 1, 20)};
    CHECK(send_all(&p, &messages[1], 1) == 1 && send_all(&p, &messages[0], 1) == 1);
    expect(&p, 0, &messages[1], p.ports[0]);
    CHECK(p.counters.receive_errors == 1);
    CHECK(fw_udp_receive(p.fds[0], 0, p.batch) == 0);
    CHECK(fw_udp_receive(-1, 0, p.batch) < 0);
    stop(&p);
}

int main(void) {
    fill_random(bytes, sizeof(bytes), 1);
    test_any_mix_of_messages_arrives_byte_for_byte("127.0.0.1");
    test_any_mix_of_messages_arrives_byte_for_byte("::1");
    test_the_largest_gso_message_the_socket_claims_goes_at_once("127.0.0.1");
    test_the_largest_gso_message_the_socket_claims_goes_at_once("::1");
    test_an_answer_leaves_from_the_address_that_was_asked("0.0.0.0", "10.9.0.11");
    test_an_answer_leaves_from_the_address_that_was_asked("::", "fd09::1");
    test_an_answer_leaves_from_the_address_that_was_asked("::", "fd09::11");
    test_an_answer_leaves_from_the_address_that_was_asked("::", "fe80::1");
    test_segments_over_the_links_mtu_go_as_single_packets("0.0.0.0", "10.9.0.2");
    test_segments_over_the_links_mtu_go_as_single_packets("::", "fd09::2");
    test_a_socket_that_refuses_gso_goes_on_plainly_and_recovers();
    test_a_full_send_buffer_drops_the_rest_of_that_socket_only();
    test_a_refused_message_harms_no_other();
    test_packets_that_a_full_receive_buffer_lost_are_counted();
    test_an_icmp_error_does_not_keep_datagrams_from_being_received();
}
