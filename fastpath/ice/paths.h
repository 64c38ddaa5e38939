/* The paths of a transport: those that passed a connectivity check, and the one in use.
 *
 * A path that is to be used is on probation first (RFC 9000 section 9.3): it is proven by a signed answer to a Binding request
 * of ours, by an authentic SRTP or SRTCP packet, or by the completed DTLS handshake. Media flows over proven paths only, and stays on
 * the path before until then. Over an unproven first path goes DTLS, once DTLS has come from there or validation has failed, and at most
 * three times the bytes that came from there (RFC 9000 section 8.1).
 */
#ifndef FW_ICE_PATHS_H
#define FW_ICE_PATHS_H

#include "../state/core.h"
#include "../wire/stun.h"

/* An authentic check of `len` bytes, which is no replay, came over `path`: a sign of life. A nominated path is to be used; so is any
 * where the transport has no proven path, or its current one is silent. */
void fw_ice_checked(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, size_t len, bool nominated);

/* The peer answered a check of ours (ask.h) over `path`, which proves the path. `nominated`: it is to be used. */
void fw_ice_reached(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, bool nominated);

/* The peer sent a signed answer with this transaction. False where no validation of this path has it. */
bool fw_ice_answered(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *transaction);

/* An authentic SRTP or SRTCP packet came over `path`: proves it; over the current path, a sign of life. */
void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path);

/* A DTLS datagram of `len` bytes came over `path`. It is not authenticated. */
void fw_ice_heard_dtls(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, size_t len);

/* The DTLS handshake over the current path has completed: the peer received what was sent there. */
void fw_ice_keyed(fw_core_t *core, fw_transport_t *t);

/* Whether a DTLS datagram of `len` bytes may be sent over the current path now; takes the bytes from the credit of an unproven one. */
bool fw_ice_may_send(fw_transport_t *t, size_t len);

/* The deadline of the next validation request, UINT64_MAX for none; and sending what is due. */
uint64_t fw_ice_paths_next_us(const fw_transport_t *t);
void fw_ice_paths_tick(fw_core_t *core, fw_transport_t *t);

/* Forgets the paths of a transport. */
void fw_ice_forget(fw_core_t *core, fw_transport_t *t);

#endif
