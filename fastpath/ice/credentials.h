/* The ICE credentials of a transport and of its peer, and STUN message integrity. */
#ifndef FW_ICE_CREDENTIALS_H
#define FW_ICE_CREDENTIALS_H

#include "../state/core.h"
#include "../wire/stun.h"

/* The peer's credentials, for the Binding requests that are sent to it. */
struct fw_peer_credentials {
    fw_hmac_t hmac; /* keyed with the peer's password */
    uint8_t ufrag_len;
    char ufrag[FW_UFRAG_BYTES];
};

/* Sets local credentials (RFC 8445 section 5.3: at least 4 and 22 characters). The former ones stay valid until the new ones are
 * first used. */
fw_error_t fw_credentials_set(fw_core_t *core, fw_transport_t *t, const fw_ice_credentials_t *wanted);

/* Sets the peer's credentials, with the same bounds; `ufrag_len` 0 forgets them. */
fw_error_t fw_credentials_set_peer(fw_transport_t *t, const char *ufrag, uint8_t ufrag_len, const char *pwd, uint8_t pwd_len);

/* Forgets the local credentials before the last fw_credentials_set, with the transactions of the checks that used them. */
void fw_credentials_forget_previous(fw_core_t *core, fw_transport_t *t);

/* Forgets all credentials. */
void fw_credentials_forget(fw_core_t *core, fw_transport_t *t);

/* Whether a message that has MESSAGE-INTEGRITY was signed with the password that keys `hmac`. */
bool fw_credentials_authentic(const fw_hmac_t *hmac, const uint8_t *data, const fw_stun_t *stun);

#endif
