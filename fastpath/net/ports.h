/* Client ports: one UDP socket for each client, thousands of them, for servers that identify clients by their address.
 *
 * An epoll set watches all of them behind one descriptor. In a path, `serial` is the number of the port, from 1, and `stream` is 0.
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

/* Calls `take` for each received datagram, a bounded number in each call. `take` may change the bytes. */
void fw_ports_receive(fw_ports_t *ports, void (*take)(void *context, const fw_path_t *path, uint8_t *data, size_t len),
                      void *context);

/* Sends `n` messages whose paths are of ports, in order. A message that cannot be sent now is dropped and counted. */
void fw_ports_send(fw_ports_t *ports, const fw_udp_message_t *messages, size_t n);

#endif
