#include "ice.h"

#include <stdlib.h>

#include "../wire/stun.h"
#include "check.h"
#include "report.h"
#include "table.h"

/* What finds a transport: the peer's address and our socket or TCP connection. Which of our addresses it talked to may
 * change. */
static fw_key_t path_key(const fw_path_t *path) {
    struct {
        fw_address_t remote;
        uint32_t socket;
        uint32_t serial;
    } key = {path->remote, path->socket, path->serial};
    _Static_assert(sizeof key <= sizeof(fw_key_t), "no part of it is cut off");
    return fw_key(&key, sizeof key);
}

fw_transport_t *fw_ice_transport(const fw_core_t *core, const fw_path_t *path) {
    fw_key_t key = path_key(path);
    return fw_map_get(&core->by_path, &key);
}

static void clear(fw_core_t *core, fw_credentials_t *credentials) {
    if (!credentials->set) return;
    fw_map_remove(&core->by_ufrag, &credentials->ufrag);
    *credentials = (fw_credentials_t){0};
}

fw_error_t fw_credentials_set(fw_core_t *core, fw_transport_t *t, const fw_command_t *command) {
    uint8_t ufrag_len = command->u.ice.ufrag_len;
    uint8_t pwd_len = command->u.ice.pwd_len;
    if (ufrag_len < 4 || ufrag_len > FW_UFRAG_BYTES || pwd_len < 22 || pwd_len > FW_PWD_BYTES) return FW_REFUSED;
    fw_credentials_t fresh = {.ufrag = fw_key(command->u.ice.ufrag, ufrag_len)};
    if (fw_map_get(&core->by_ufrag, &fresh.ufrag) != NULL) return FW_DUPLICATE;
    if (!fw_hmac_init(&fresh.hmac, (const uint8_t *)command->u.ice.pwd, pwd_len)) return FW_LIMIT;
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

static void forget_previous(fw_core_t *core, fw_transport_t *t) {
    if (t->previous == NULL) return;
    clear(core, t->previous);
    free(t->previous);
    t->previous = NULL;
}

void fw_credentials_forget(fw_core_t *core, fw_transport_t *t) {
    forget_previous(core, t);
    clear(core, &t->credentials);
}

bool fw_ice_same_peer(const fw_path_t *a, const fw_path_t *b) {
    return a->socket == b->socket && a->serial == b->serial && fw_address_equal(&a->remote, &b->remote);
}

static void unregister(fw_core_t *core, const fw_transport_t *t, const fw_path_t *known) {
    fw_key_t key = path_key(known);
    /* Another transport of the same browser may have taken the address over. */
    if (fw_map_get(&core->by_path, &key) == t) fw_map_remove(&core->by_path, &key);
}

void fw_ice_forget(fw_core_t *core, fw_transport_t *t) {
    for (unsigned i = 0; i < t->known_count; i++) unregister(core, t, &t->known[i]);
    free(t->known);
    t->known = NULL;
    t->known_count = 0;
}

/* Whether another transport talks over that address now: a participant that puts it into a check of its own, with a
 * false source, must not take it away. */
static bool taken(const fw_core_t *core, const fw_transport_t *t, const fw_path_t *path) {
    const fw_transport_t *owner = fw_ice_transport(core, path);
    return owner != NULL && owner != t && owner->state == FW_KEYED && fw_ice_same_peer(&owner->path, path) &&
           core->now_us - owner->path_heard_us <= FW_PATH_SILENT_US;
}

/* Remembers a validated address as the newest; the oldest that is not in use makes room. False where memory is short. */
static bool remember(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    unsigned place = 0;
    while (place < t->known_count && !fw_ice_same_peer(&t->known[place], path)) place++;
    if (place == FW_KNOWN_PATHS) {
        place = FW_KNOWN_PATHS - 1;
        if (fw_ice_same_peer(&t->known[place], &t->path)) place--;
        unregister(core, t, &t->known[place]);
    } else if (place == t->known_count) {
        fw_path_t *known = realloc(t->known, (place + 1) * sizeof *known);
        if (known == NULL) return false;
        t->known = known;
    }
    fw_key_t key = path_key(path);
    if (fw_map_get(&core->by_path, &key) != t && !fw_map_put(&core->by_path, &key, t)) return false;
    if (place == t->known_count) t->known_count++;
    memmove(&t->known[1], &t->known[0], place * sizeof t->known[0]);
    t->known[0] = *path;
    return true;
}

static void move(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    bool first = t->path.family == 0;
    t->path = *path;
    t->path_heard_us = core->now_us;
    if (!first) core->counters.path_moves++;
    if (t->state == FW_NEW) t->state = FW_CHECKED;
    if (first && t->state == FW_KEYED) t->start_us = core->now_us + FW_SETTLE_US;
    fw_transport_changed(core, t);
}

void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    if (fw_ice_same_peer(&t->path, path)) t->path_heard_us = core->now_us;
}

/* Whether that check has come before: a repeated one is answered, but whoever overheard it must not move the path. */
static bool repeated(fw_transport_t *t, const uint8_t *transaction) {
    /* Chosen at random by the peer: one in four billion is taken for another, and moves nothing. */
    uint32_t digest = fw_load32(transaction) ^ fw_load32(transaction + 4) ^ fw_load32(transaction + 8);
    for (unsigned i = 0; i < FW_KNOWN_CHECKS; i++)
        if (t->checks[i] == digest) return true;
    t->checks[t->next_check] = digest;
    t->next_check = (uint8_t)((t->next_check + 1) % FW_KNOWN_CHECKS);
    return false;
}

void fw_ice_checked(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, bool chosen) {
    t->consent_us = core->now_us;
    if (taken(core, t, path) || !remember(core, t, path)) return;
    bool silent = core->now_us - t->path_heard_us > FW_PATH_SILENT_US;
    if (fw_path_equal(&t->path, path)) {
        t->path_heard_us = core->now_us;
    } else if (t->path.family == 0 || chosen || silent) {
        move(core, t, path);
    }
    fw_transport_schedule(core, t);
}

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

bool fw_ice_authentic(const fw_hmac_t *hmac, const uint8_t *data, const fw_stun_t *stun) {
    uint8_t head[FW_STUN_HEADER_BYTES];
    uint8_t tag[FW_HMAC_BYTES];
    fw_stun_covered_header(data, stun, head);
    return fw_hmac_compute(hmac, head, sizeof head, data + sizeof head, stun->covered_len - sizeof head, tag) &&
           fw_tag_equal(tag, stun->integrity, sizeof tag);
}

/* The key of the first part of USERNAME, which is our ufrag (RFC 8445 section 7.2.2); all zero where it is not one. */
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
        fw_check_receive(core, path, data, &stun);
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
    if (stun.integrity == NULL || !fw_ice_authentic(&credentials->hmac, data, &stun)) {
        core->counters.drop_stun_integrity++;
        return;
    }
    if (restarted) forget_previous(core, t);
    bool conflict = fw_check_conflicts(core, t, &stun);
    answer(core, credentials, path, &stun, conflict);
    if (stun.unknown_type == 0 && !conflict && !repeated(t, stun.transaction))
        fw_ice_checked(core, t, path, stun.use_candidate && !fw_check_nominates(t));
}
