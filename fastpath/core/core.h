/* The core of one worker: turns received datagrams and records into datagrams to send and reported changes, round by round.
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

/* Receives several datagrams in order; costs less than one call each. */
void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us);

/* Whether a transport remembers an authentic check over this path. */
bool fw_core_knows(const fw_core_t *core, const fw_path_t *path);

/* Receives a record that another worker's core passed to its `relay` callback. */
void fw_core_relayed(fw_core_t *core, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len,
                     uint64_t now_us);

/* Ends a round: handles deadlines and sends. Holds media for min(coalesce_us, duration of the last flush), because larger batches
 * cost less per packet; a small audience has short flushes and so no delay. */
void fw_core_flush(fw_core_t *core, uint64_t now_us);

/* Notes the duration of the round that fw_core_flush ended, in microseconds, without the sleep before it. */
void fw_core_note_round(fw_core_t *core, uint64_t us);

/* The deadline of the next fw_core_flush if no datagram arrives, and its reason. */
fw_deadline_t fw_core_next(const fw_core_t *core);

#endif
