/* The transports that receive from a 5-tuple: its owner, and a claimant.
 *
 * A peer may come back from the address of its former session, while the server still takes that session for alive. The former
 * transport stays the owner, and gets SRTP and SRTCP. The newest transport that was checked there is the claimant, and gets the DTLS
 * handshake that begins with another random (RFC 6347 section 4.2.8). The claimant becomes the owner when it has keys.
 */
#ifndef FW_ICE_OWNERS_H
#define FW_ICE_OWNERS_H

#include "../state/core.h"

#define FW_PATH_SILENT_US 8000000 /* after this time without an authenticated packet, a path gives way to another */

/* The owner of a path, NULL where no transport knows it. */
fw_transport_t *fw_ice_transport(const fw_core_t *core, const fw_path_t *path);

/* Whether both are the same address of the peer at the same socket of ours, or the same TCP connection. */
bool fw_ice_same_peer(const fw_path_t *a, const fw_path_t *b);

/* Makes `t`, which received an authentic check over `path`, the owner of the path, or its claimant where a live transport uses it.
 * False where memory is short. */
bool fw_owners_add(fw_core_t *core, fw_transport_t *t, const fw_path_t *path);

/* `t` receives no longer from `path`; a claimant becomes the owner. */
void fw_owners_remove(fw_core_t *core, const fw_transport_t *t, const fw_path_t *path);

/* Makes `t`, whose handshake has completed, the owner of its current path. Returns the former owner where the path was its current
 * one too: its peer is gone, and it is to be closed. Else NULL. */
fw_transport_t *fw_owners_take_over(fw_core_t *core, fw_transport_t *t);

/* The transport that a DTLS datagram is for: the claimant gets a handshake with a new random and all that follows of it. */
fw_transport_t *fw_owners_dtls(fw_core_t *core, fw_transport_t *owner, const fw_path_t *path, const uint8_t *data, size_t len);

#endif
