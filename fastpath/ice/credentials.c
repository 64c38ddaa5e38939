#include "credentials.h"

#include <stdlib.h>

#include "seen_checks.h"

static bool in_range(uint8_t ufrag_len, uint8_t pwd_len) {
    return ufrag_len >= 4 && ufrag_len <= FW_UFRAG_BYTES && pwd_len >= 22 && pwd_len <= FW_PWD_BYTES;
}

static void clear(fw_core_t *core, fw_credentials_t *credentials) {
    if (!credentials->set) return;
    fw_map_remove(&core->by_ufrag, &credentials->ufrag);
    *credentials = (fw_credentials_t){0};
}

fw_error_t fw_credentials_set(fw_core_t *core, fw_transport_t *t, const fw_ice_credentials_t *wanted) {
    if (!in_range(wanted->ufrag_len, wanted->pwd_len)) return FW_REFUSED;
    fw_credentials_t fresh = {.ufrag = fw_key(wanted->ufrag, wanted->ufrag_len)};
    if (fw_map_get(&core->by_ufrag, &fresh.ufrag) != NULL) return FW_DUPLICATE;
    if (!fw_hmac_init(&fresh.hmac, (const uint8_t *)wanted->pwd, wanted->pwd_len)) return FW_LIMIT;
    if (t->credentials.set && t->previous == NULL && (t->previous = calloc(1, sizeof *t->previous)) == NULL) return FW_LIMIT;
    if (!fw_map_put(&core->by_ufrag, &fresh.ufrag, t)) return FW_LIMIT;
    fresh.set = true;
    if (t->previous != NULL) {
        clear(core, t->previous);
        *t->previous = t->credentials;
    }
    t->credentials = fresh;
    return FW_DONE;
}

fw_error_t fw_credentials_set_peer(fw_transport_t *t, const char *ufrag, uint8_t ufrag_len, const char *pwd, uint8_t pwd_len) {
    fw_peer_credentials_t *peer = NULL;
    if (ufrag_len > 0) {
        if (!in_range(ufrag_len, pwd_len)) return FW_REFUSED;
        peer = calloc(1, sizeof *peer);
        if (peer == NULL || !fw_hmac_init(&peer->hmac, (const uint8_t *)pwd, pwd_len)) {
            free(peer);
            return FW_LIMIT;
        }
        memcpy(peer->ufrag, ufrag, ufrag_len);
        peer->ufrag_len = ufrag_len;
    }
    free(t->peer);
    t->peer = peer;
    return FW_DONE;
}

void fw_credentials_forget_previous(fw_core_t *core, fw_transport_t *t) {
    if (t->previous == NULL) return;
    clear(core, t->previous);
    free(t->previous);
    t->previous = NULL;
    fw_seen_checks_forget(t);
}

void fw_credentials_forget(fw_core_t *core, fw_transport_t *t) {
    fw_credentials_forget_previous(core, t);
    fw_seen_checks_forget(t);
    clear(core, &t->credentials);
    free(t->peer);
    t->peer = NULL;
}

bool fw_credentials_authentic(const fw_hmac_t *hmac, const uint8_t *data, const fw_stun_t *stun) {
    uint8_t head[FW_STUN_HEADER_BYTES];
    uint8_t tag[FW_HMAC_BYTES];
    fw_stun_covered_header(data, stun, head);
    return fw_hmac_compute(hmac, head, sizeof head, data + sizeof head, stun->covered_len - sizeof head, tag) &&
           fw_tag_equal(tag, stun->integrity, sizeof tag);
}
