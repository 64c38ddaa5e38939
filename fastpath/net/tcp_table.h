/* The connections of fw_tcp_t: by number, by address and by the time that they have left. For tcp*.c alone. */
#ifndef FW_NET_TCP_TABLE_H
#define FW_NET_TCP_TABLE_H

#include <sys/uio.h>

#include "tcp.h"

#define FW_TCP_INPUT_BYTES 4096 /* read at once from a connection; room for the longest frame */
#define FW_TCP_RUN_FRAMES 64    /* written at once */
#define FW_TCP_LISTENERS 64

typedef struct fw_tcp_connection fw_tcp_connection_t;
struct fw_tcp_connection {
    fw_path_t path; /* its `stream` and `serial` are the connection's name */
    int fd;
    bool proven;   /* its path has been in use */
    bool broken;   /* it cannot be written to any more; the next poll closes it */
    bool writable; /* the poll watches for it: the queue is not empty */
    uint64_t lease_us; /* when the owner is asked whether its path is in use */
    fw_tcp_connection_t *older; /* by lease */
    fw_tcp_connection_t *newer;
    fw_tcp_connection_t *neighbour; /* the next in the same bucket */
    uint8_t *queue;                 /* a ring of `queue_room` bytes, a power of two; NULL while it is empty */
    uint32_t queue_room;
    uint32_t queue_at;
    uint32_t queue_used;
    uint32_t held;                     /* bytes in `input`: the start of a frame */
    uint8_t input[FW_TCP_INPUT_BYTES]; /* last, so that the rest of it stays together */
};

/* Frames on their way to one connection. */
typedef struct {
    fw_tcp_connection_t *to;
    size_t frames;
    uint8_t lengths[FW_TCP_RUN_FRAMES][2];
    struct iovec parts[2 * FW_TCP_RUN_FRAMES]; /* for each frame its length, then the frame */
} fw_tcp_run_t;

struct fw_tcp {
    fw_tcp_limits_t limits;
    fw_tcp_owner_t owner;
    fw_tcp_counters_t *counters;
    int epoll_fd;
    struct {
        int fd;
        uint8_t socket;
    } listeners[FW_TCP_LISTENERS];
    size_t listener_count;
    uint64_t accept_us; /* the end of a pause in accepting; UINT64_MAX for none */
    uint32_t last_serial;
    uint16_t *free_numbers; /* a stack of those that path.stream can be */
    uint16_t free_count;
    fw_tcp_connection_t **by_number; /* limits.connections + 1 */
    fw_tcp_connection_t **buckets;   /* by address */
    uint32_t bucket_mask;
    fw_tcp_connection_t *oldest; /* by lease, which is the same for all: the order is that of the last renewal */
    fw_tcp_connection_t *newest;
    fw_tcp_run_t run;
};

/* Watches for reading, or for nothing. */
bool fw_tcp_watch_listener(fw_tcp_t *tcp, size_t index, bool on, bool first);

/* Watches for reading and, if `writable`, for writing too. */
bool fw_tcp_watch(fw_tcp_t *tcp, fw_tcp_connection_t *c, bool writable, bool first);

/* The connection of that name, or NULL. */
fw_tcp_connection_t *fw_tcp_find(const fw_tcp_t *tcp, uint16_t stream, uint32_t serial);

/* Adds a connection, which owns `fd`, and names its `path`. NULL where there is no room; then the caller keeps `fd`. */
fw_tcp_connection_t *fw_tcp_add(fw_tcp_t *tcp, int fd, const fw_path_t *path, uint64_t now_us);

/* Closes and frees a connection. `reset`: unsent bytes are dropped at once, and no TIME_WAIT remains. */
void fw_tcp_close(fw_tcp_t *tcp, fw_tcp_connection_t *c, bool reset);

/* Whether the address has its full number of connections. */
bool fw_tcp_crowded(const fw_tcp_t *tcp, const fw_address_t *remote);

/* Asks the owner whether the path is in use, and renews the lease if it is. */
bool fw_tcp_renew(fw_tcp_t *tcp, fw_tcp_connection_t *c, uint64_t now_us);

/* Accepts the waiting connections of a listener. */
void fw_tcp_accept(fw_tcp_t *tcp, size_t listener, uint64_t now_us);

/* Reads once and delivers the frames that are whole. False where the connection has to be closed. */
bool fw_tcp_read(fw_tcp_t *tcp, fw_tcp_connection_t *c);

/* Writes queued bytes until the socket is full. */
void fw_tcp_drain(fw_tcp_t *tcp, fw_tcp_connection_t *c);

#endif
