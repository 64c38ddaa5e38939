/* TCP connections over loopback: frames arrive complete both ways; unauthenticated clients and slow readers stay within
 * their bounds and do not affect other connections. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tcp.h"
#include "net/wake.h"
#include "net_check.h"

#define CONNECTIONS 8
#define LEASE_US 1000
#define QUEUE_BYTES (1 << 17)
#define MOST_FRAMES 40000

/* A server that knows the authenticated paths and echoes their frames. */
typedef struct {
    fw_tcp_t *tcp;
    fw_tcp_counters_t counters;
    int listener;
    struct sockaddr_in address;
    fw_path_t known[CONNECTIONS];
    size_t known_count;
    fw_path_t last; /* source of the last frame */
    size_t frames;
    uint64_t now_us;
    bool echo;
} server_t;

/* Starts like a Binding request; the last byte is 1 if it is authentic. */
static const uint8_t greeting[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, [19] = 1};
static const uint8_t stranger[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, [19] = 0};

static bool in_use(void *context, const fw_path_t *path) {
    const server_t *s = context;
    for (size_t i = 0; i < s->known_count; i++)
        if (fw_path_equal(&s->known[i], path))
            return true;
    return false;
}

static void receive(void *context, const fw_path_t *path, uint8_t *data, size_t len) {
    server_t *s = context;
    s->last = *path;
    s->frames++;
    if (len == sizeof(greeting) && memcmp(data, greeting, len) == 0) {
        if (!in_use(s, path))
            s->known[s->known_count++] = *path;
    } else if (s->echo) {
        fw_udp_message_t message = {.path = *path, .data = data, .len = (uint32_t)len};
        fw_tcp_send(s->tcp, &message, 1);
    }
    memset(data, 0xff, len);
}

static int bind_listener(struct sockaddr_in *address) {
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (struct sockaddr *)address, len) == 0 && getsockname(fd, (struct sockaddr *)address, &len) == 0);
    return fd;
}

static void start(server_t *s, uint16_t connections, uint16_t per_address) {
    fw_tcp_limits_t limits = {.connections = connections,
                              .per_address = per_address,
                              .queue_bytes = QUEUE_BYTES,
                              .lease_us = LEASE_US,
                              .hash_seed = 5};
    fw_tcp_owner_t owner = {.context = s, .receive = receive, .in_use = in_use};
    *s = (server_t){.now_us = 1};
    s->listener = bind_listener(&s->address);
    s->tcp = fw_tcp_create(&limits, &owner, &s->counters);
    CHECK(s->tcp && fw_tcp_listen(s->tcp, s->listener, 7) == 0);
}

static void stop(server_t *s) {
    fw_tcp_destroy(s->tcp);
    close(s->listener);
}

/* Serves until nothing has happened for a few milliseconds. */
static void serve(server_t *s) {
    int fd = fw_tcp_fd(s->tcp);
    uint64_t ready;
    while (fw_wait(&fd, 1, 5000, &ready) > 0)
        fw_tcp_poll(s->tcp, s->now_us);
}

static int dial_from(const server_t *s, uint32_t ip) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
    CHECK(connect(fd, (const struct sockaddr *)&s->address, sizeof(s->address)) == 0);
    return fd;
}

static int dial(const server_t *s) { return dial_from(s, INADDR_LOOPBACK); }

static void put_all(int fd, const uint8_t *data, size_t len) {
    CHECK(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static void put_frame(int fd, const uint8_t *data, size_t len) {
    uint8_t frame[2 + FW_TCP_FRAME_BYTES] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + 2, data, len);
    put_all(fd, frame, 2 + len);
}

/* Returns the size of the next complete frame; 0 if there is none. */
static size_t get_frame(int fd, uint8_t *data) {
    uint8_t head[2];
    if (recv(fd, head, 2, MSG_PEEK | MSG_DONTWAIT) != 2)
        return 0;
    CHECK(recv(fd, head, 2, 0) == 2);
    size_t len = (size_t)head[0] << 8 | head[1];
    CHECK(recv(fd, data, len, MSG_WAITALL) == (ssize_t)len);
    return len;
}

static bool is_closed(int fd) {
    uint8_t byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

static int dial_known(server_t *s) {
    int fd = dial(s);
    size_t before = s->known_count;
    put_frame(fd, greeting, sizeof(greeting));
    serve(s);
    CHECK(s->known_count == before + 1 && !is_closed(fd));
    return fd;
}

static size_t open_descriptors(void) {
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory != NULL);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void test_frames_stay_whole_however_the_stream_is_cut(void) {
    static uint8_t stream[1 << 20];
    static uint8_t sent[600][FW_TCP_FRAME_BYTES];
    uint8_t got[65536];
    size_t lengths[600];
    size_t total = 0;
    uint64_t random = 1;
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    s.echo = true;
    int fd = dial_known(&s);
    for (size_t i = 0; i < 600; i++) {
        lengths[i] = i % 5 == 0 ? 0 : next_random(&random) % FW_TCP_FRAME_BYTES + 1;
        fill_random(sent[i], lengths[i], i);
        stream[total++] = (uint8_t)(lengths[i] >> 8);
        stream[total++] = (uint8_t)lengths[i];
        memcpy(stream + total, sent[i], lengths[i]);
        total += lengths[i];
    }
    size_t next = 0;
    for (size_t at = 0; at < total || next < 600;) {
        size_t piece = next_random(&random) % 5000;
        piece = piece < total - at ? piece : total - at;
        put_all(fd, stream + at, piece);
        at += piece;
        serve(&s);
        for (; next < 600 && lengths[next] == 0; next++)
            ;
        for (size_t len; next < 600 && (len = get_frame(fd, got)) > 0;) {
            CHECK(len == lengths[next] && memcmp(got, sent[next], len) == 0);
            for (next++; next < 600 && lengths[next] == 0; next++)
                ;
        }
    }
    CHECK(s.last.socket == 7 && s.last.family == 4 && s.last.stream > 0 && s.last.serial > 0);
    CHECK(memcmp(s.last.local_ip, (uint8_t[4]){127, 0, 0, 1}, 4) == 0 && s.last.remote.ip[0] == 127);
    CHECK(s.counters.frames_in == 481 && s.counters.frames_out == 480);
    CHECK(s.counters.bytes_in == total + 22 && s.counters.bytes_out == total - 240);
    close(fd);
    stop(&s);
}

static void test_a_coalesced_message_is_sent_as_the_packets_it_is_of(void) {
    static uint8_t data[100 * 500 + 123];
    uint8_t got[65536];
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fds[2];
    for (int i = 0; i < 2; i++)
        fds[i] = dial_known(&s);
    fill_random(data, sizeof(data), 3);
    fw_udp_message_t messages[3] = {
        {.path = s.known[0], .data = data, .len = sizeof(data), .segment = 500},
        {.path = s.known[1], .data = data, .len = 40, .segment = 40},
        {.path = s.known[0], .data = data + 7, .len = 77},
    };
    fw_tcp_send(s.tcp, messages, 3);
    for (size_t at = 0; at < sizeof(data); at += 500) {
        size_t len = sizeof(data) - at < 500 ? sizeof(data) - at : 500;
        CHECK(get_frame(fds[0], got) == len && memcmp(got, data + at, len) == 0);
    }
    CHECK(get_frame(fds[0], got) == 77 && memcmp(got, data + 7, 77) == 0);
    CHECK(get_frame(fds[1], got) == 40 && memcmp(got, data, 40) == 0);
    CHECK(s.counters.frames_out == 103);
    for (int i = 0; i < 2; i++)
        close(fds[i]);
    stop(&s);
}

static void test_a_stranger_may_only_send_binding_requests(void) {
    static const uint8_t garbage[] = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    static const uint8_t response[20] = {1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    static const uint8_t dtls[20] = {22, 0xfe, 0xfd};
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fds[5];
    for (int i = 0; i < 5; i++)
        fds[i] = dial(&s);
    put_all(fds[0], garbage, sizeof(garbage)); /* "GE" is a length of 18245 */
    put_frame(fds[1], response, sizeof(response));
    put_frame(fds[2], dtls, sizeof(dtls));
    put_frame(fds[3], stranger, 19);
    put_frame(fds[4], stranger, sizeof(stranger));
    serve(&s);
    for (int i = 0; i < 4; i++)
        CHECK(is_closed(fds[i]));
    CHECK(s.frames == 1 && s.counters.closed_stranger == 3 && s.counters.closed_oversize == 1);
    put_frame(fds[4], stranger, sizeof(stranger));
    put_frame(fds[4], greeting, sizeof(greeting));
    put_frame(fds[4], dtls, sizeof(dtls));
    serve(&s);
    CHECK(s.frames == 4 && !is_closed(fds[4]));
    put_all(fds[4], (const uint8_t[]){(FW_TCP_FRAME_BYTES + 1) >> 8, (FW_TCP_FRAME_BYTES + 1) & 0xff}, 2);
    serve(&s);
    CHECK(is_closed(fds[4]) && s.counters.closed_oversize == 2);
    CHECK(s.counters.closed == 5 && s.counters.accepted == 5);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    stop(&s);
}

static void test_connections_last_as_long_as_somebody_uses_them(void) {
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    CHECK(fw_tcp_next_us(s.tcp) == UINT64_MAX);
    int idle = dial(&s);
    int slow = dial(&s);
    int used = dial_known(&s);
    CHECK(fw_tcp_next_us(s.tcp) == s.now_us + LEASE_US);
    for (int i = 0; i < 18; i++) { /* a greeting, byte for byte */
        put_all(slow, i < 2 ? (const uint8_t[]){i == 0 ? 0 : 20} : &stranger[i - 2], 1);
        serve(&s);
    }
    s.now_us += LEASE_US - 1;
    fw_tcp_tick(s.tcp, s.now_us);
    CHECK(!is_closed(idle) && !is_closed(slow));
    fw_tcp_tick(s.tcp, ++s.now_us);
    CHECK(is_closed(idle) && is_closed(slow) && !is_closed(used));
    CHECK(s.counters.closed_unused == 2 && fw_tcp_next_us(s.tcp) == s.now_us + LEASE_US);
    s.known_count = 0;
    fw_tcp_tick(s.tcp, s.now_us += LEASE_US);
    CHECK(is_closed(used) && s.counters.closed_unused == 3 && fw_tcp_next_us(s.tcp) == UINT64_MAX);
    close(idle);
    close(slow);
    close(used);
    stop(&s);
}

static void test_a_path_never_leads_to_the_next_connection_in_its_place(void) {
    server_t s;
    start(&s, 1, CONNECTIONS);
    int fd = dial_known(&s);
    fw_path_t stale = s.known[0];
    put_all(fd, (const uint8_t[]){4, 0, 1, 2, 3}, 5);
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd); /* a reset in the middle of a frame */
    serve(&s);
    CHECK(s.counters.closed == 1 && s.counters.frames_in == 1);
    for (size_t i = 1; i < 5; i++) {
        fd = dial_known(&s);
        CHECK(s.known[i].stream == stale.stream && s.known[i].serial != stale.serial);
        fw_udp_message_t message = {.path = stale, .data = greeting, .len = sizeof(greeting), .segment = 10};
        fw_tcp_send(s.tcp, &message, 1);
        uint8_t got[64];
        CHECK(get_frame(fd, got) == 0 && s.counters.drop_gone == 2 * i);
        close(fd);
        serve(&s);
    }
    fw_path_t nowhere = {.stream = 900, .serial = 1};
    fw_tcp_send(s.tcp, &(fw_udp_message_t){.path = nowhere, .data = greeting, .len = 1}, 1);
    CHECK(s.counters.drop_gone == 9);
    stop(&s);
}

/* Frame i of a flood: its number, then bytes that follow from it. */
static size_t flood_frame(uint8_t *data, uint32_t i) {
    size_t len = 100 + i % 1100;
    memcpy(data, &i, sizeof(i));
    memset(data + sizeof(i), (uint8_t)i, len - sizeof(i));
    return len;
}

static void test_a_slow_reader_loses_whole_frames_and_holds_nobody_up(void) {
    uint8_t data[2048], expected[2048];
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int slow = dial_known(&s);
    int brisk = dial_known(&s);
    for (uint32_t i = 0; i < MOST_FRAMES; i++) {
        size_t len = flood_frame(data, i);
        fw_udp_message_t messages[2] = {{.path = s.known[0], .data = data, .len = (uint32_t)len},
                                        {.path = s.known[1], .data = data, .len = (uint32_t)len}};
        fw_tcp_send(s.tcp, messages, 2);
        CHECK(get_frame(brisk, expected) == len && memcmp(expected, data, len) == 0);
    }
    CHECK(s.counters.drop_slow_reader > MOST_FRAMES / 2);
    CHECK(s.counters.frames_out + s.counters.drop_slow_reader == 2 * MOST_FRAMES);
    size_t got = 0;
    uint32_t last = 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t len; (len = get_frame(slow, data)) > 0; more = true) {
            uint32_t number;
            memcpy(&number, data, sizeof(number));
            CHECK((got == 0 || number > last) && flood_frame(expected, number) == len);
            CHECK(memcmp(data, expected, len) == 0);
            last = number;
            got++;
        }
        serve(&s);
    }
    CHECK(got == MOST_FRAMES - s.counters.drop_slow_reader);
    fw_tcp_send(s.tcp, &(fw_udp_message_t){.path = s.known[0], .data = greeting, .len = 5}, 1);
    CHECK(get_frame(slow, data) == 5); /* it is no longer slow */
    close(slow);
    close(brisk);
    stop(&s);
}

static void test_a_peer_that_goes_while_it_is_sent_to_is_let_go(void) {
    static uint8_t data[1200];
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fd = dial_known(&s);
    for (int i = 0; i < 2000; i++)
        fw_tcp_send(s.tcp, &(fw_udp_message_t){.path = s.known[0], .data = data, .len = sizeof(data)}, 1);
    CHECK(s.counters.drop_slow_reader > 0);
    close(fd); /* with unread data: a reset */
    usleep(1000);
    for (int i = 0; i < 10; i++)
        fw_tcp_send(s.tcp, &(fw_udp_message_t){.path = s.known[0], .data = data, .len = sizeof(data)}, 1);
    serve(&s);
    CHECK(s.counters.closed == 1);
    stop(&s);
}

static void test_connections_are_bounded_and_strangers_make_room(void) {
    server_t s;
    start(&s, CONNECTIONS, 3);
    int fds[16];
    for (int i = 0; i < 4; i++)
        fds[i] = dial(&s);
    serve(&s);
    CHECK(s.counters.accepted == 3 && s.counters.refused == 1 && is_closed(fds[3]));
    put_frame(fds[0], greeting, sizeof(greeting));
    serve(&s);
    for (uint32_t i = 4; i < 12; i++)
        fds[i] = dial_from(&s, INADDR_LOOPBACK + i);
    serve(&s);
    CHECK(s.counters.accepted == 11 && s.counters.closed_evicted == 3);
    CHECK(!is_closed(fds[0]) && is_closed(fds[1]) && is_closed(fds[2]) && is_closed(fds[4]));
    for (int i = 5; i < 12; i++)
        put_frame(fds[i], greeting, sizeof(greeting));
    serve(&s);
    CHECK(s.known_count == CONNECTIONS);
    fds[12] = dial_from(&s, INADDR_LOOPBACK + 12);
    serve(&s);
    CHECK(s.counters.refused == 2 && is_closed(fds[12]) && s.counters.closed == 3);
    for (int i = 0; i < 13; i++)
        close(fds[i]);
    stop(&s);
}

static void test_accepting_pauses_while_descriptors_are_short(void) {
    struct rlimit before, none;
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fd = dial(&s);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)fd + 1, .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    serve(&s); /* would not end if the listener were still watched */
    CHECK(s.counters.accept_pauses == 1 && s.counters.accepted == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    s.now_us = fw_tcp_next_us(s.tcp);
    fw_tcp_tick(s.tcp, s.now_us);
    serve(&s);
    CHECK(s.counters.accepted == 1 && !is_closed(fd));
    close(fd);
    stop(&s);
}

static void test_connections_send_small_frames_at_once_and_keep_the_queue_to_us(void) {
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fd = dial_known(&s);
    struct sockaddr_in ours, theirs;
    socklen_t len = sizeof(ours);
    CHECK(getsockname(fd, (struct sockaddr *)&ours, &len) == 0);
    int found = 0;
    for (int other = 0; other < 64; other++) {
        int nodelay = 0, not_sent = 0;
        socklen_t size = sizeof(int);
        len = sizeof(theirs);
        if (getpeername(other, (struct sockaddr *)&theirs, &len) || theirs.sin_port != ours.sin_port)
            continue;
        getsockopt(other, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
        getsockopt(other, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &not_sent, &size);
        found += nodelay == 1 && not_sent > 0 && not_sent <= 65536;
    }
    CHECK(found == 1);
    close(fd);
    stop(&s);
}

static void test_shutting_closes_all_and_later_sends_are_dropped(void) {
    size_t before = open_descriptors();
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int fd = dial_known(&s);
    int idle = dial(&s);
    serve(&s);
    fw_tcp_shut(s.tcp);
    CHECK(is_closed(fd) && is_closed(idle));
    fw_tcp_send(s.tcp, &(fw_udp_message_t){.path = s.known[0], .data = greeting, .len = 5}, 1);
    CHECK(s.counters.drop_gone == 1 && s.counters.closed == 2);
    close(fd);
    close(idle);
    stop(&s);
    CHECK(open_descriptors() == before);
}

static void test_only_sockets_that_can_listen_are_taken(void) {
    server_t s;
    start(&s, CONNECTIONS, CONNECTIONS);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fw_tcp_listen(s.tcp, udp, 0) < 0 && fw_tcp_listen(s.tcp, -1, 0) < 0);
    close(udp);
    stop(&s);
}

int main(void) {
    test_frames_stay_whole_however_the_stream_is_cut();
    test_a_coalesced_message_is_sent_as_the_packets_it_is_of();
    test_a_stranger_may_only_send_binding_requests();
    test_connections_last_as_long_as_somebody_uses_them();
    test_a_path_never_leads_to_the_next_connection_in_its_place();
    test_a_slow_reader_loses_whole_frames_and_holds_nobody_up();
    test_a_peer_that_goes_while_it_is_sent_to_is_let_go();
    test_connections_are_bounded_and_strangers_make_room();
    test_accepting_pauses_while_descriptors_are_short();
    test_connections_send_small_frames_at_once_and_keep_the_queue_to_us();
    test_shutting_closes_all_and_later_sends_are_dropped();
    test_only_sockets_that_can_listen_are_taken();
}
