/* TCP connections that carry datagrams, each behind its length (RFC 4571): ICE's passive TCP candidates (RFC 6544).
 *
 * Strangers can connect, so all that they can hold is bounded: connections in all and of one address, bytes in and out,
 * and time. A connection is worth keeping as long as its owner says that its path is in use; until then nothing but
 * STUN binding requests may come from it. A peer that reads too slowly loses whole frames and holds nobody else up.
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
    X(refused)                 /* closed instead: too many in all, too many of one address, or no memory */ \
    X(accept_pauses)           /* times that the system had no descriptor or memory for another one */      \
    X(closed)                  /* of the accepted, for whatever reason: */                                  \
    X(closed_unused)           /* nobody used it when its time was over */                                  \
    X(closed_evicted)          /* nobody used it when another one needed its place */                       \
    X(closed_stranger)         /* something else than a STUN binding request came before anybody used it */ \
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
    uint64_t lease_us;    /* a connection that nobody uses is closed after so long, give or take as much */
    uint64_t hash_seed;   /* random */
} fw_tcp_limits_t;

/* Neither may call back, but for fw_tcp_send(). */
typedef struct {
    void *context;
    /* A frame of 1 to FW_TCP_FRAME_BYTES bytes, which may be changed in place. */
    void (*receive)(void *context, const fw_path_t *path, uint8_t *data, size_t len);
    /* Whether somebody has authenticated this path and wants it still. */
    bool (*in_use)(void *context, const fw_path_t *path);
} fw_tcp_owner_t;

typedef struct fw_tcp fw_tcp_t;

/* NULL where memory or a file descriptor is missing. */
fw_tcp_t *fw_tcp_create(const fw_tcp_limits_t *limits, const fw_tcp_owner_t *owner, fw_tcp_counters_t *counters);

/* Closes every connection, and lets go of the listeners; what is sent from then on is dropped. */
void fw_tcp_shut(fw_tcp_t *tcp);

void fw_tcp_destroy(fw_tcp_t *tcp);

/* Listens on `fd`, a bound non-blocking TCP socket that stays the caller's to close. `socket_index` goes into the paths
 * of its connections. Returns 0 or -errno. */
int fw_tcp_listen(fw_tcp_t *tcp, int fd, uint8_t socket_index);

/* Readable when there is something for fw_tcp_poll(). */
int fw_tcp_fd(const fw_tcp_t *tcp);

/* Accepts, reads and writes: a bounded share of what waits, and all of it over several calls. */
void fw_tcp_poll(fw_tcp_t *tcp, uint64_t now_us);

/* Closes the connections that nobody uses, when that is due. */
void fw_tcp_tick(fw_tcp_t *tcp, uint64_t now_us);

/* When fw_tcp_tick() is due; UINT64_MAX for never. */
uint64_t fw_tcp_next_us(const fw_tcp_t *tcp);

/* Sends `n` messages whose paths are of connections, in order, each packet of a message as a frame of its own. */
void fw_tcp_send(fw_tcp_t *tcp, const fw_udp_message_t *messages, size_t n);

#endif
