/* Batched UDP: socket set-up, recvmmsg with UDP_GRO, and sendmmsg with GSO, for sockets that many peers share.
 *
 * Nothing here blocks and nothing allocates after creation. A batch, a sender and their counters belong to one thread.
 * IPv6 sockets should be IPV6_V6ONLY: on a dual-stack one IPv4 peers appear as v4-mapped IPv6 addresses.
 */
#ifndef FW_NET_UDP_H
#define FW_NET_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"

#define FW_UDP_SOCKETS 64 /* the most sockets of one batch or sender, and of fw_wait() */
#define FW_UDP_GSO_BYTES 65507 /* the most bytes in one message, whether GSO or not */

/* Written by the owning thread alone, read by anyone at any time. "Packets" are datagrams on the wire, "messages" are
 * entries of a system call, with several packets where they are coalesced. Bytes are UDP payload. */
#define FW_UDP_COUNTERS(X)                                                                                            \
    X(packets_in)                                                                                                     \
    X(bytes_in)                                                                                                       \
    X(messages_in)                                                                                                    \
    X(syscalls_in)                                                                                                    \
    X(gro_coalesced)           /* packets that came in a message with others */                                       \
    X(truncated)               /* messages dropped because the kernel cut them or their control data */               \
    X(receive_errors)          /* failed receives, which are skipped: mostly ICMP errors of earlier sends */           \
    X(receive_overflow)        /* packets the kernel dropped because a socket's receive buffer was full */            \
    X(packets_out)                                                                                                    \
    X(bytes_out)                                                                                                      \
    X(messages_out)                                                                                                   \
    X(syscalls_out)                                                                                                   \
    X(send_would_block)        /* packets dropped because a socket's send buffer was full */                          \
    X(send_refused)            /* packets dropped because the kernel refused to send there: no route, firewall ... */ \
    X(gso_oversize)            /* GSO messages sent plainly: a segment is over the link's MTU */                      \
    X(fragmented)              /* packets over the MTU that were left to fragmentation */                             \
    X(gso_refused)             /* GSO messages sent plainly: the kernel takes none, or took none of late */

typedef struct {
#define FW_UDP_COUNTER(name) uint64_t name;
    FW_UDP_COUNTERS(FW_UDP_COUNTER)
#undef FW_UDP_COUNTER
} fw_udp_counters_t;

#define FW_UDP_COUNTER_COUNT (sizeof(fw_udp_counters_t) / sizeof(uint64_t))

/* The names in the order of the fields. */
extern const char *const fw_udp_counter_names[FW_UDP_COUNTER_COUNT];

typedef struct {
    uint32_t rcvbuf_bytes; /* wanted socket buffers; 0: the system's default */
    uint32_t sndbuf_bytes;
    bool gro; /* use it where the kernel has it */
    bool gso;
} fw_udp_options_t;

typedef struct {
    uint32_t rcvbuf_bytes; /* as granted: twice what was asked, net.core.rmem_max permitting */
    uint32_t sndbuf_bytes;
    uint16_t gso_max_segments; /* in one GSO message: 64 or 128; 1 without GSO */
    bool gro;
    bool gso;
} fw_udp_caps_t;

/* Prepares a bound UDP socket for the functions below and reports what it can do.
 * IPv4 datagrams leave with DF, which spares the kernel a fifth of what a send costs: the choice of an identification.
 * A datagram over the MTU of the link, or over the path MTU that ICMP reported, leaves without DF: it is fragmented, not lost.
 * Returns 0, or -errno where the socket is not UDP over IP or cannot tell a datagram's local address. */
int fw_udp_setup(int fd, const fw_udp_options_t *options, fw_udp_caps_t *caps);

typedef struct fw_udp_batch fw_udp_batch_t;

typedef struct {
    uint8_t *data; /* may be changed in place; valid until the next fw_udp_receive() */
    size_t len;    /* 0..65527 bytes */
    fw_path_t path;
} fw_udp_datagram_t;

/* Room for `messages` (1..1024) messages a call, 64 KiB each, of up to `sockets` sockets; pages are touched only as they
 * fill. NULL: no memory. */
fw_udp_batch_t *fw_udp_batch_create(size_t messages, uint32_t sockets, fw_udp_counters_t *counters);
void fw_udp_batch_destroy(fw_udp_batch_t *batch);

/* One recvmmsg. Returns the number of messages, 0 when nothing waits, or -errno when the socket itself is unusable
 * (closed, not a socket). `socket_index`, below the batch's sockets, goes into each path, its low byte. Datagrams of the previous call become
 * invalid. */
int fw_udp_receive(int fd, uint32_t socket_index, fw_udp_batch_t *batch);

/* The next datagram of the last receive, coalesced messages split into their packets. False when there are no more. */
bool fw_udp_next(fw_udp_batch_t *batch, fw_udp_datagram_t *out);

typedef struct {
    fw_path_t path;
    const uint8_t *data;
    uint32_t len;     /* bytes of all segments together, 1..FW_UDP_GSO_BYTES */
    uint16_t segment; /* bytes of each packet, only the last may be shorter; 0 or >= len: one packet */
} fw_udp_message_t;

typedef struct fw_udp_sender fw_udp_sender_t;

/* `caps` are those of each of the `sockets` (1..FW_UDP_SOCKETS) sockets. NULL: no memory, or too many sockets. */
fw_udp_sender_t *fw_udp_sender_create(const fw_udp_caps_t *caps, size_t sockets, fw_udp_counters_t *counters);
void fw_udp_sender_destroy(fw_udp_sender_t *sender);

/* Sends `n` messages in order, each from its path's socket fds[path.socket] and source address `local_ip`: consecutive
 * messages of one socket share system calls. A message that cannot be sent now is dropped and counted, never kept or retried:
 * a full send buffer drops the rest of that socket's messages, a refused message only itself. A GSO message that is
 * refused is sent as single packets; a socket refusing several in a row sends the next few thousand so from the start.
 * Returns the packets handed to the kernel. */
size_t fw_udp_send(const int *fds, size_t fd_count, fw_udp_sender_t *sender, const fw_udp_message_t *messages,
                   size_t n);

#endif
