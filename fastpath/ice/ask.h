/* The calling side of ICE: connectivity checks of a server's address (RFC 8445), continued as requests for its consent (RFC 7675).
 * The transports of a server's clients do not call. */
#ifndef FW_ICE_ASK_H
#define FW_ICE_ASK_H

#include "../state/core.h"
#include "../wire/stun.h"

/* Starts to check the command's path, with the peer's credentials, in the controlling role. Replaces an earlier call. Fails with
 * FW_REFUSED for credentials out of range, FW_LIMIT where memory is short, FW_STALE_ID for a closed transport. */
fw_error_t fw_ice_ask_start(fw_core_t *core, fw_transport_t *t, const fw_check_path_t *wanted);
void fw_ice_ask_stop(fw_core_t *core, fw_transport_t *t);

/* The deadline of the next request, UINT64_MAX for none; and sending it when it is due. */
uint64_t fw_ice_ask_next_us(const fw_transport_t *t);
void fw_ice_ask_tick(fw_core_t *core, fw_transport_t *t);

/* Receives a response, to a check or to the validation of a path (probation.h). It counts only if it matches an open transaction,
 * comes from the address of the request, and is signed with the peer's password. */
void fw_ice_ask_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, const fw_stun_t *stun);

/* Whether an authentic request gets error 487, because its sender has the role that this side keeps. Where this side loses the
 * conflict it changes its role (RFC 8445 section 7.3.1.1). ICE-lite is always controlled. */
bool fw_ice_ask_conflicts(fw_core_t *core, fw_transport_t *t, const fw_stun_t *stun);

/* Whether this side nominates the path. */
bool fw_ice_ask_nominates(const fw_transport_t *t);

#endif
