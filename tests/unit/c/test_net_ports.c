/* Ports: each of hundreds of sockets reports its datagrams under its own number, and sends from its own port. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/ports.h"
#include "net/wake.h"
#include "net_check.h"

#define PORTS 300
#define ROUNDS 5

typedef struct {
    unsigned taken[PORTS];
    fw_path_t paths[PORTS];
    uint16_t server_port;
} heard_t;

static int bound(void) {
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&self, sizeof(self)) == 0);
    return fd;
}

static uint16_t port_of(int fd) {
    struct sockaddr_in self;
    socklen_t len = sizeof(self);
    CHECK(getsockname(fd, (struct sockaddr *)&self, &len) == 0);
    return ntohs(self.sin_port);
}

static void send_to(int fd, uint16_t port, const void *data, size_t len) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len);
}

static void take(void *context, const fw_path_t *path, uint8_t *data, size_t len) {
    heard_t *heard = context;
    uint32_t number;
    CHECK(len == sizeof(number));
    memcpy(&number, data, sizeof(number));
    CHECK(number < PORTS && path->serial == number + 1);
    CHECK(path->stream == 0 && path->socket == 0 && path->family == 4 && path->remote.port == heard->server_port);
    heard->taken[number]++;
    heard->paths[number] = *path;
}

static void receive(fw_ports_t *ports, heard_t *heard, unsigned wanted) {
    int fd = fw_ports_fd(ports);
    for (;;) {
        unsigned all = 0;
        for (unsigned i = 0; i < PORTS; i++)
            all += heard->taken[i];
        if (all == wanted)
            return;
        uint64_t ready;
        CHECK(fw_wait(&fd, 1, 2000000, &ready) == 1);
        fw_ports_receive(ports, take, heard);
    }
}

static void answer_from_each(fw_ports_t *ports, const heard_t *heard, int server, const int *fds) {
    for (unsigned i = 0; i < PORTS; i++) {
        fw_udp_message_t message = {
            .path = heard->paths[i], .data = (const uint8_t *)"onetwo", .len = 6, .segment = 3};
        fw_ports_send(ports, &message, 1);
        for (unsigned part = 0; part < 2; part++) {
            char data[8];
            struct sockaddr_in from;
            socklen_t len = sizeof(from);
            CHECK(recvfrom(server, data, sizeof(data), 0, (struct sockaddr *)&from, &len) == 3);
            CHECK(memcmp(data, part == 0 ? "one" : "two", 3) == 0 && ntohs(from.sin_port) == port_of(fds[i]));
        }
    }
}

int main(void) {
    const fw_udp_options_t options = {.gro = true};
    fw_udp_counters_t counters = {0};
    fw_udp_caps_t caps;
    heard_t heard = {0};
    int fds[PORTS];
    int server = bound();
    heard.server_port = port_of(server);
    for (unsigned i = 0; i < PORTS; i++) {
        fds[i] = bound();
        CHECK(fw_udp_setup(fds[i], &options, &caps) == 0);
    }
    fw_ports_t *ports = fw_ports_create(fds, PORTS, &counters);
    CHECK(ports != NULL);
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < PORTS; i++)
            send_to(server, port_of(fds[i]), &i, sizeof(i));
    receive(ports, &heard, PORTS * ROUNDS);
    for (unsigned i = 0; i < PORTS; i++)
        CHECK(heard.taken[i] == ROUNDS);
    answer_from_each(ports, &heard, server, fds);
    CHECK(counters.packets_in == PORTS * ROUNDS && counters.packets_out == PORTS * 2);

    fw_udp_message_t nowhere = {.path = heard.paths[0], .data = (const uint8_t *)"x", .len = 1};
    nowhere.path.serial = PORTS + 1;
    fw_ports_send(ports, &nowhere, 1);
    CHECK(counters.send_refused == 1);
    fw_ports_destroy(ports);
    for (unsigned i = 0; i < PORTS; i++)
        close(fds[i]);
    close(server);
    return 0;
}
