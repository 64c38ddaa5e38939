/* The local ICE credentials of a transport, and STUN message integrity. */
#ifndef FW_ICE_CREDENTIALS_H
#define FW_ICE_CREDENTIALS_H

#include "../state/core.h"
#include "../wire/stun.h"

/* Sets local credentials (RFC 8445 section 5.3: at least 4 and 22 characters). Those before stay valid until the new ones are
 * first used. */
fw_error_t fw_credentials_set(fw_core_t *core, fw_transport_t *t, const fw_command_t *command);

/* Forgets those before the last fw_credentials_set, or all. */
void fw_credentials_forget_previous(fw_core_t *core, fw_transport_t *t);
void fw_credentials_forget(fw_core_t *core, fw_transport_t *t);

/* Whether a message that has MESSAGE-INTEGRITY was signed with the password that keys `hmac`. */
bool fw_credentials_authentic(const fw_hmac_t *hmac, const uint8_t *data, const fw_stun_t *stun);

#endif
