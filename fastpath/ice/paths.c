#include "paths.h"

#include <stdlib.h>

#include "../state/marks.h"
#include "owners.h"
#include "probation.h"

/* RFC 9000 section 8.1: to an address that is not validated, at most so many times the bytes that came from there. */
enum { AMPLIFICATION = 3 };

/* A path that was proven longer ago, and is not in use, is validated again: its address may have another user. */
enum { PROOF_US = 30000000 };

static fw_known_path_t *find(fw_transport_t *t, const fw_path_t *path) {
    for (unsigned i = 0; i < t->known_count; i++)
        if (fw_ice_same_peer(&t->known[i].path, path)) return &t->known[i];
    return NULL;
}

static void drop(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known) {
    fw_probation_stop(core, t, known);
    fw_owners_remove(core, t, &known->path);
}

void fw_ice_forget(fw_core_t *core, fw_transport_t *t) {
    for (unsigned i = 0; i < t->known_count; i++) drop(core, t, &t->known[i]);
    free(t->known);
    t->known = NULL;
    t->known_count = 0;
}

/* Remembers a checked path as the newest; the oldest that is not in use makes room. NULL where memory is short. */
static fw_known_path_t *remember(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    fw_known_path_t entry = {.due_us = UINT64_MAX};
    unsigned place = 0;
    while (place < t->known_count && !fw_ice_same_peer(&t->known[place].path, path)) place++;
    if (place == FW_KNOWN_PATHS) {
        place = FW_KNOWN_PATHS - 1;
        if (fw_ice_same_peer(&t->known[place].path, &t->path)) place--;
        drop(core, t, &t->known[place]);
    } else if (place == t->known_count) {
        fw_known_path_t *known = realloc(t->known, (place + 1) * sizeof *known);
        if (known == NULL) return NULL;
        t->known = known;
        known[place] = entry;
        t->known_count++;
    } else {
        entry = t->known[place];
    }
    entry.path = *path;
    memmove(&t->known[1], &t->known[0], place * sizeof t->known[0]);
    t->known[0] = entry;
    return fw_owners_add(core, t, path) ? &t->known[0] : NULL;
}

static void use(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known, bool proven) {
    bool was_ready = fw_transport_ready(t);
    if (t->path_proven && !fw_path_equal(&t->path, &known->path)) core->counters.path_moves++;
    for (unsigned i = 0; i < t->known_count; i++) t->known[i].nominated = false;
    t->path = known->path;
    t->path_proven = proven;
    t->path_heard_us = core->now_us;
    if (t->state == FW_NEW) t->state = FW_CHECKED;
    if (!was_ready && fw_transport_ready(t)) t->start_us = core->now_us + FW_SETTLE_US;
    fw_mark_changed(core, t);
    fw_mark_due(core, t);
}

static bool is_proven(const fw_core_t *core, const fw_transport_t *t, const fw_known_path_t *known) {
    if (known->path.stream != 0) return true; /* by TCP's handshake */
    if (t->path_proven && fw_ice_same_peer(&t->path, &known->path)) return true;
    return known->proven_us != 0 && core->now_us - known->proven_us <= PROOF_US;
}

/* Whether the path is to become the current one. */
static bool is_wanted(const fw_core_t *core, const fw_transport_t *t, const fw_known_path_t *known) {
    if (t->path_proven && fw_path_equal(&t->path, &known->path)) return false;
    if (t->state == FW_KEYED && fw_ice_transport(core, &known->path) != t) return false; /* another transport uses it */
    return !t->path_proven || known->nominated || core->now_us - t->path_heard_us > FW_PATH_SILENT_US;
}

/* Uses the path if that is wanted and it is proven; validates it if it is not. */
static void consider(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known) {
    if (!is_wanted(core, t, known)) return;
    if (is_proven(core, t, known)) use(core, t, known, true);
    else fw_probation_start(core, t, known);
}

static void prove(fw_core_t *core, fw_transport_t *t, fw_known_path_t *known) {
    known->proven_us = core->now_us;
    fw_probation_stop(core, t, known);
    consider(core, t, known);
    fw_mark_due(core, t);
}

static void nominate(fw_transport_t *t, fw_known_path_t *known) {
    for (unsigned i = 0; i < t->known_count; i++) t->known[i].nominated = false;
    known->nominated = true;
}

static void add_credit(fw_known_path_t *known, size_t len) {
    uint64_t credit = known->credit_bytes + (uint64_t)AMPLIFICATION * len;
    known->credit_bytes = credit < UINT32_MAX ? (uint32_t)credit : UINT32_MAX;
}

void fw_ice_checked(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, size_t len, bool nominated) {
    t->alive_us = core->now_us;
    fw_mark_due(core, t);
    fw_known_path_t *known = remember(core, t, path);
    if (known == NULL) return;
    add_credit(known, len);
    if (nominated) nominate(t, known);
    if (fw_path_equal(&t->path, path)) t->path_heard_us = core->now_us;
    consider(core, t, known);
}

void fw_ice_reached(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, bool nominated) {
    t->alive_us = core->now_us;
    fw_mark_due(core, t);
    fw_known_path_t *known = remember(core, t, path);
    if (known == NULL) return;
    if (nominated) nominate(t, known);
    if (fw_path_equal(&t->path, path)) t->path_heard_us = core->now_us;
    prove(core, t, known);
}

bool fw_ice_answered(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const uint8_t *transaction) {
    fw_known_path_t *known = find(t, path);
    if (known == NULL || !known->open || memcmp(known->transaction, transaction, sizeof known->transaction) != 0) return false;
    t->alive_us = core->now_us;
    prove(core, t, known);
    return true;
}

void fw_ice_heard(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    if (!t->path_proven || !fw_ice_same_peer(&t->path, path)) {
        fw_known_path_t *known = find(t, path);
        if (known != NULL) prove(core, t, known);
    }
    if (fw_ice_same_peer(&t->path, path)) t->path_heard_us = t->alive_us = core->now_us;
}

void fw_ice_heard_dtls(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, size_t len) {
    fw_known_path_t *known = find(t, path);
    if (known == NULL || t->path_proven) return;
    add_credit(known, len);
    /* Later flights are proof of receiving the first, so they must not choose where that goes. */
    if (t->path.family == 0 || !t->dtls_sent) use(core, t, known, is_proven(core, t, known));
}

void fw_ice_keyed(fw_core_t *core, fw_transport_t *t) {
    t->alive_us = core->now_us;
    if (t->path.family == 0) return;
    t->path_heard_us = core->now_us;
    t->path_proven = true;
    t->start_us = core->now_us + FW_SETTLE_US;
    fw_known_path_t *known = find(t, &t->path);
    if (known != NULL) fw_probation_stop(core, t, known);
}

bool fw_ice_may_send(fw_transport_t *t, size_t len) {
    t->dtls_sent = true;
    if (t->path_proven) return true;
    fw_known_path_t *known = find(t, &t->path);
    if (known == NULL || known->credit_bytes < len) return false;
    known->credit_bytes -= (uint32_t)len;
    return true;
}

uint64_t fw_ice_paths_next_us(const fw_transport_t *t) {
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = 0; i < t->known_count; i++)
        if (t->known[i].due_us < next_us) next_us = t->known[i].due_us;
    return next_us;
}

void fw_ice_paths_tick(fw_core_t *core, fw_transport_t *t) {
    for (unsigned i = 0; i < t->known_count; i++)
        if (fw_probation_tick(core, t, &t->known[i]) && t->path.family == 0) use(core, t, &t->known[i], false);
}
