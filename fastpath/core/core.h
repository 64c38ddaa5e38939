/* The core of one worker: a round of datagrams and records in, datagrams and changes out.
 *
 * The core has no sockets, clock or threads. A worker's round is: fw_core_command (dispatch.h) for each command,
 * fw_core_receive for each datagram, fw_core_relayed for each record of another worker, then fw_core_flush. `now_us` is in
 * microseconds of one monotonic clock and never goes back.
 */
#ifndef FW_CORE_CORE_H
#define FW_CORE_CORE_H

#include "../state/core.h"
#include "agenda.h"

/* NULL where memory is short, or no backend of crypto/ was chosen. */
fw_core_t *fw_core_create(const fw_core_config_t *config, const fw_callbacks_t *callbacks);
void fw_core_destroy(fw_core_t *core);

/* Receives a datagram from a socket; its bytes may be changed. */
void fw_core_receive(fw_core_t *core, const fw_path_t *path, uint8_t *data, size_t len, uint64_t now_us);

/* Receives datagrams that came together, in order: cheaper than one by one. */
void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us);

/* Whether a transport remembers an authentic check over this path. */
bool fw_core_knows(const fw_core_t *core, const fw_path_t *path);

/* Receives a record that another worker's core gave to its `relay` callback. */
void fw_core_relayed(fw_core_t *core, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len,
                     uint64_t now_us);

/* Ends a round: does what is due and sends. Holds media for min(coalesce_us, duration of the last flush): a small audience
 * waits for nothing, and larger batches are cheaper for a large one. */
void fw_core_flush(fw_core_t *core, uint64_t now_us);

/* Reports that the round which fw_core_flush has ended took so many microseconds, without the sleep before it. */
void fw_core_note_round(fw_core_t *core, uint64_t us);

/* When fw_core_flush is to be called though nothing was received, and why. */
fw_deadline_t fw_core_next(const fw_core_t *core);

#endif
