/* Socket options, and finding out what the kernel can do. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp.h"

#define NAME(name) #name,
const char *const fw_udp_counter_names[FW_UDP_COUNTER_COUNT] = {FW_UDP_COUNTERS(NAME)};

#define GSO_SEGMENTS_ALWAYS 64 /* Linux 4.18 to 6.8 */
#define GSO_SEGMENTS_NEWER 128

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

static int get(int fd, int option) {
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

/* Asks past the system's limit, which the privileged may, then within it. A refusal leaves the default in place. */
static uint32_t set_buffer(int fd, int forced, int option, uint32_t bytes) {
    int value = bytes < INT_MAX / 2 ? (int)bytes : INT_MAX / 2;
    if (value && set(fd, SOL_SOCKET, forced, value))
        set(fd, SOL_SOCKET, option, value);
    int granted = get(fd, option);
    return granted > 0 ? (uint32_t)granted : 0;
}

/* No option tells the limit, so a socket sends itself the larger number of one-byte segments. */
static uint16_t probe_gso_segments(void) {
    static const uint8_t bytes[GSO_SEGMENTS_NEWER];
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(self);
    ssize_t sent = -1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return GSO_SEGMENTS_ALWAYS;
    if (!bind(fd, (struct sockaddr *)&self, len) && !getsockname(fd, (struct sockaddr *)&self, &len) &&
        !set(fd, IPPROTO_UDP, UDP_SEGMENT, 1))
        sent = sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&self, len);
    close(fd);
    return sent == sizeof(bytes) ? GSO_SEGMENTS_NEWER : GSO_SEGMENTS_ALWAYS;
}

int fw_udp_setup(int fd, const fw_udp_options_t *options, fw_udp_caps_t *caps) {
    *caps = (fw_udp_caps_t){.gso_max_segments = 1};
    int family = get(fd, SO_DOMAIN);
    if (get(fd, SO_PROTOCOL) != IPPROTO_UDP || (family != AF_INET && family != AF_INET6))
        return -EPROTONOSUPPORT;

    bool v6 = family == AF_INET6;
    int error = v6 ? set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (error)
        return error;
    if (v6)
        set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    else
        set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);

    caps->rcvbuf_bytes = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options->rcvbuf_bytes);
    caps->sndbuf_bytes = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options->sndbuf_bytes);
    caps->gro = options->gro && !set(fd, IPPROTO_UDP, UDP_GRO, 1);
    caps->gso = options->gso && !set(fd, IPPROTO_UDP, UDP_SEGMENT, 0);
    if (caps->gso)
        caps->gso_max_segments = probe_gso_segments();
    return 0;
}
