/* TCP connections that carry datagrams, each behind its length (RFC 4571): ICE's passive TCP candidates (RFC 6544).
 *
 * Anyone can connect, so the resources of connections are bounded: their number, in all and of one address, their buffers, and their
 * time. A connection stays open while the owner reports its path as in use; before that, only STUN Binding requests may arrive. A peer
 * that reads too slowly loses whole frames, and delays no other peer.
 *
 * Nothing here blocks. Memory is taken for each connection, and for its queue while its socket is full. All of it, the
 * counters too, belongs to one thread.
 */
#ifndef FW_NET_TCP_H
#define FW_NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"
#include "udp.h"

#define FW_TCP_FRAME_BYTES 2048 /* of a frame from a peer; a longer one ends its connection */

/* Written by the owning thread alone, read by anyone at any time. Bytes are of the stream: frames and their lengths. */
#define FW_TCP_COUNTERS(X)                                                                                  \
    X(accepted)                                                                                             \
    X(refused)                 /* closed at once: too many in all, too many of one address, or no memory */ \
    X(accept_pauses)           /* pauses, because the system had no descriptor or memory for another one */ \
    X(closed)                  /* accepted connections that were closed, for any reason: */                 \
    X(closed_unused)           /* its lease ended while its path was not in use */                          \
    X(closed_evicted)          /* its path was not in use when another connection needed the place */       \
    X(closed_stranger)         /* a frame other than a STUN Binding request came before its path was used */\
    X(closed_oversize)         /* a frame was over FW_TCP_FRAME_BYTES */                                    \
    X(frames_in)                                                                                            \
    X(bytes_in)                                                                                             \
    X(frames_out)              /* sent or queued */                                                         \
    X(bytes_out)                                                                                            \
    X(drop_slow_reader)        /* frames that a full queue had no room for */                               \
    X(drop_gone)               /* frames to a connection that is closed, or as good as closed */

typedef struct {
#define FW_TCP_COUNTER(name) uint64_t name;
    FW_TCP_COUNTERS(FW_TCP_COUNTER)
#undef FW_TCP_COUNTER
} fw_tcp_counters_t;

#define FW_TCP_COUNTER_COUNT (sizeof(fw_tcp_counters_t) / sizeof(uint64_t))

/* The names in the order of the fields. */
extern const char *const fw_tcp_counter_names[FW_TCP_COUNTER_COUNT];

typedef struct {
    uint16_t connections; /* in all, at least 1 */
    uint16_t per_address; /* from one IPv4 address, or one /64 of IPv6 */
    uint32_t queue_bytes; /* for each connection, beyond what its socket takes; at least 128 KiB */
    uint64_t lease_us;    /* a connection whose path is not in use is closed after one to two leases */
    uint64_t hash_seed;   /* random */
} fw_tcp_limits_t;

/* Neither may call back, but for fw_tcp_send(). */
typedef struct {
    void *context;
    /* A frame of 1 to FW_TCP_FRAME_BYTES bytes, which may be changed in place. */
    void (*receive)(void *context, const fw_path_t *path, uint8_t *data, size_t len);
    /* Whether a transport remembers an authentic check over this path. */
    bool (*in_use)(void *context, const fw_path_t *path);
} fw_tcp_owner_t;

typedef struct fw_tcp fw_tcp_t;

/* NULL where memory or a file descriptor is missing. */
fw_tcp_t *fw_tcp_create(const fw_tcp_limits_t *limits, const fw_tcp_owner_t *owner, fw_tcp_counters_t *counters);

/* Closes every connection, and forgets the listeners. Later messages are dropped. */
void fw_tcp_shut(fw_tcp_t *tcp);

void fw_tcp_destroy(fw_tcp_t *tcp);

/* Listens on `fd`, a bound non-blocking TCP socket that stays the caller's to close. `socket_index` goes into the paths
 * of its connections. Returns 0 or -errno. */
int fw_tcp_listen(fw_tcp_t *tcp, int fd, uint8_t socket_index);

/* Readable when there is something for fw_tcp_poll(). */
int fw_tcp_fd(const fw_tcp_t *tcp);

/* Accepts, reads and writes, a bounded amount in each call. */
void fw_tcp_poll(fw_tcp_t *tcp, uint64_t now_us);

/* Closes the connections whose lease has ended and whose path is not in use. */
void fw_tcp_tick(fw_tcp_t *tcp, uint64_t now_us);

/* When fw_tcp_tick() is due; UINT64_MAX for never. */
uint64_t fw_tcp_next_us(const fw_tcp_t *tcp);

/* Sends `n` messages whose paths are of connections, in order, each packet of a message as a frame of its own. */
void fw_tcp_send(fw_tcp_t *tcp, const fw_udp_message_t *messages, size_t n);

#endif
