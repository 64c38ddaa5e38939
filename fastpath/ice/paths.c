#include "paths.h"

#include <stdlib.h>

#include "../state/marks.h"

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
    fw_mark_changed(core, t);
}

void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    if (fw_ice_same_peer(&t->path, path)) t->path_heard_us = core->now_us;
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
    fw_mark_due(core, t);
}
