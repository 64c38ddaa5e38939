/* Ports of our own for peers that tell their clients apart by address: one UDP socket for each client, thousands of them.
 *
 * Where a server's sockets are few and shared by all of its peers, a client needs one towards every server that it calls.
 * An epoll set watches them all behind one descriptor. In a path such a port is `serial`, from 1, with `stream` 0.
 */
#ifndef FW_NET_PORTS_H
#define FW_NET_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "udp.h"

typedef struct fw_ports fw_ports_t;

/* `fds` are `count` bound UDP sockets, prepared by fw_udp_setup(), that stay the caller's to close. NULL where memory or
 * a file descriptor is missing. */
fw_ports_t *fw_ports_create(const int *fds, uint32_t count, fw_udp_counters_t *counters);
void fw_ports_destroy(fw_ports_t *ports);

/* Readable when there is something for fw_ports_receive(). */
int fw_ports_fd(const fw_ports_t *ports);

/* Calls `take` for each datagram of a bounded share of what waits: all of it over several calls. Its bytes may be changed. */
void fw_ports_receive(fw_ports_t *ports, void (*take)(void *context, const fw_path_t *path, uint8_t *data, size_t len),
                      void *context);

/* Sends `n` messages whose paths are of ports, in order. What cannot be sent now is dropped and counted. */
void fw_ports_send(fw_ports_t *ports, const fw_udp_message_t *messages, size_t n);

#endif
