/* The asking side of ICE: how a transport of ours reaches a server, by connectivity checks of the server's address
 * (RFC 8445) that go on as requests for its consent (RFC 7675). A server's own transports have none of it. */
#ifndef FW_ICE_ASK_H
#define FW_ICE_ASK_H

#include "../state/core.h"
#include "../wire/stun.h"

/* Begins to ask the peer at the command's path, with its credentials and as the controlling side; whoever was asked
 * before is asked no more. */
fw_error_t fw_ice_ask_start(fw_core_t *core, fw_transport_t *t, const fw_command_t *command);
void fw_ice_ask_stop(fw_core_t *core, fw_transport_t *t);

/* When the next request is due, UINT64_MAX where none is, and sends it then. */
uint64_t fw_ice_ask_next_us(const fw_transport_t *t);
void fw_ice_ask_tick(fw_core_t *core, fw_transport_t *t);

/* A response: believed where it answers a request of ours, comes from whom that was sent to, and is signed by the peer. */
void fw_ice_ask_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, const fw_stun_t *stun);

/* Whether an authentic request is to be refused with 487, its sender claiming the role that stays ours; where it wins the
 * role, the transport takes the other (RFC 8445 section 7.3.1.1). ICE-lite is always controlled. */
bool fw_ice_ask_conflicts(fw_core_t *core, fw_transport_t *t, const fw_stun_t *stun);

/* Whether it is this side that chooses the path. */
bool fw_ice_ask_nominates(const fw_transport_t *t);

#endif
