/* The answering side of ICE, all that ICE-lite is: checks answered, and the path that they choose (RFC 8445, RFC 7675). */
#ifndef FW_FORWARD_ICE_H
#define FW_FORWARD_ICE_H

#include "state.h"

#define FW_PATH_SILENT_US 8000000 /* a path silent for so long gives way to an authenticated check from elsewhere */

/* Sets local credentials (RFC 8445 section 5.3: at least 4 and 22 characters); those before stay valid until the new
 * ones are first used. */
fw_error_t fw_credentials_set(fw_core_t *core, fw_transport_t *t, const fw_command_t *command);
void fw_credentials_forget(fw_core_t *core, fw_transport_t *t);

/* A STUN message: verified, answered, and taken as consent and perhaps as a new path. */
void fw_ice_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, size_t len);

/* The transport that a datagram from `path` belongs to, or NULL: only addresses that passed a check are known. */
fw_transport_t *fw_ice_transport(const fw_core_t *core, const fw_path_t *path);

/* Something authenticated other than a check came from `path`. */
void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path);

/* A check over `path` has succeeded, the peer's or one of ours: that is consent, and `chosen` makes it the path in use. */
void fw_ice_checked(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, bool chosen);

/* Whether the message was signed with the password that keys `hmac`. It has an integrity. */
bool fw_ice_authentic(const fw_hmac_t *hmac, const uint8_t *data, const fw_stun_t *stun);

/* Whether both are the same peer's address at the same socket of ours. */
bool fw_ice_same_peer(const fw_path_t *a, const fw_path_t *b);

/* Forgets the addresses of a transport. */
void fw_ice_forget(fw_core_t *core, fw_transport_t *t);

#endif
