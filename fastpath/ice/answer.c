#include "answer.h"

#include "../wire/stun.h"
#include "ask.h"
#include "credentials.h"
#include "paths.h"
#include "seen_checks.h"

static void answer(fw_core_t *core, const fw_credentials_t *credentials, const fw_path_t *path, const fw_stun_t *stun,
                   bool conflict) {
    uint8_t *out = fw_outbox_begin(&core->outbox);
    size_t n;
    if (stun->unknown_type != 0) {
        n = fw_stun_begin_error(out, stun->transaction, 420, stun->unknown_type);
    } else if (conflict) {
        n = fw_stun_begin_error(out, stun->transaction, 487, 0);
    } else {
        n = fw_stun_begin_success(out, stun->transaction, path->family == 6, path->remote.ip, path->remote.port);
    }
    if (!fw_hmac_compute(&credentials->hmac, out, n, NULL, 0, out + n + 4)) return;
    fw_outbox_add(&core->outbox, path, fw_stun_finish(out, n));
    core->counters.stun_out++;
}

/* The key of the local ufrag, the part of USERNAME before the colon (RFC 8445 section 7.2.2); zeros if it cannot be one. */
static fw_key_t username_key(const fw_stun_t *stun) {
    size_t len = 0;
    if (stun->username == NULL) return (fw_key_t){{0}};
    while (len < stun->username_len && stun->username[len] != ':') len++;
    if (len == stun->username_len || len > FW_UFRAG_BYTES) return (fw_key_t){{0}};
    return fw_key(stun->username, len);
}

void fw_ice_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, size_t len) {
    fw_stun_t stun;
    core->counters.stun_in++;
    switch (fw_stun_parse(data, len, &stun)) {
        case FW_STUN_OK: break;
        case FW_STUN_MALFORMED: core->counters.drop_stun_malformed++; return;
        case FW_STUN_NO_FINGERPRINT:
        case FW_STUN_BAD_FINGERPRINT: core->counters.drop_stun_fingerprint++; return;
    }
    if (stun.type == FW_STUN_BINDING_SUCCESS || stun.type == FW_STUN_BINDING_ERROR) {
        fw_ice_ask_receive(core, path, data, &stun);
        return;
    }
    if (stun.type != FW_STUN_BINDING_REQUEST) {
        core->counters.drop_stun_not_request++;
        return;
    }
    fw_key_t ufrag = username_key(&stun);
    fw_transport_t *t = fw_map_get(&core->by_ufrag, &ufrag);
    if (t == NULL) {
        core->counters.drop_stun_unknown_ufrag++;
        return;
    }
    bool restarted = memcmp(&ufrag, &t->credentials.ufrag, sizeof ufrag) == 0;
    const fw_credentials_t *credentials = restarted ? &t->credentials : t->previous;
    if (stun.integrity == NULL || !fw_credentials_authentic(&credentials->hmac, data, &stun)) {
        core->counters.drop_stun_integrity++;
        return;
    }
    if (restarted) fw_credentials_forget_previous(core, t);
    bool conflict = fw_ice_ask_conflicts(core, t, &stun);
    /* Before the answer, so that the peer is asked to prove the path before it takes the path as ready for DTLS. */
    if (stun.unknown_type == 0 && !conflict && fw_seen_checks_add(core, t, stun.transaction))
        fw_ice_checked(core, t, path, len, stun.use_candidate && !fw_ice_ask_nominates(t));
    answer(core, credentials, path, &stun, conflict);
}
