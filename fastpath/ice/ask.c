#include "ask.h"

#include <stdlib.h>

#include "../state/marks.h"
#include "credentials.h"
#include "owners.h"
#include "paths.h"
#include "request.h"

/* RFC 8489 section 6.2.1: 7 requests; the wait for an answer doubles with each, and is 16 times the first after the last. */
enum { REQUESTS = 7, FIRST_WAIT_US = 500000, LAST_WAIT_US = 16 * FIRST_WAIT_US };

/* RFC 7675 section 5.1: a request for consent every 5 s, give or take 20 %. */
enum { CONSENT_US = 4000000, CONSENT_SPREAD_US = 2000000 };

/* RFC 8445 section 14.2: the least time between checks. */
enum { PACE_US = 50000 };

struct fw_ice_ask {
    fw_path_t path;
    uint64_t tie_breaker;
    uint64_t due_us;
    uint32_t requests; /* sent in this transaction */
    bool controlling;
    bool consented; /* a check has succeeded since the role was taken */
    bool open;      /* `transaction` waits for its answer */
    uint8_t transaction[FW_STUN_TRANSACTION_BYTES];
    uint32_t spread; /* as random as the transaction */
};

static void close_transaction(fw_core_t *core, const fw_transport_t *t, fw_ice_ask_t *c) {
    if (c->open) fw_request_close(core, t, c->transaction);
    c->open = false;
}

static bool open_transaction(fw_core_t *core, fw_transport_t *t, fw_ice_ask_t *c) {
    close_transaction(core, t, c);
    c->requests = 0;
    c->open = fw_request_open(core, t, c->transaction, &c->spread);
    return c->open;
}

fw_error_t fw_ice_ask_start(fw_core_t *core, fw_transport_t *t, const fw_check_path_t *wanted) {
    const fw_ice_credentials_t *peer = &wanted->credentials;
    if (t->state == FW_CLOSED) return FW_STALE_ID;
    if ((wanted->remote.family != 4 && wanted->remote.family != 6) || peer->ufrag_len == 0)
        return FW_REFUSED;
    fw_error_t error = fw_credentials_set_peer(t, peer->ufrag, peer->ufrag_len, peer->pwd, peer->pwd_len);
    if (error != FW_DONE) return error;
    fw_ice_ask_stop(core, t);
    fw_ice_ask_t *c = calloc(1, sizeof *c);
    if (c == NULL) return FW_LIMIT;
    c->path = (fw_path_t){.remote = wanted->remote, .family = wanted->remote.family, .serial = wanted->port};
    c->tie_breaker = wanted->tie_breaker;
    c->controlling = true;
    c->due_us = core->now_us;
    t->ask = c;
    fw_mark_due(core, t);
    return FW_DONE;
}

void fw_ice_ask_stop(fw_core_t *core, fw_transport_t *t) {
    if (t->ask == NULL) return;
    close_transaction(core, t, t->ask);
    free(t->ask);
    t->ask = NULL;
}

uint64_t fw_ice_ask_next_us(const fw_transport_t *t) {
    return t->ask == NULL || t->peer == NULL ? UINT64_MAX : t->ask->due_us;
}

void fw_ice_ask_tick(fw_core_t *core, fw_transport_t *t) {
    fw_ice_ask_t *c = t->ask;
    if (c == NULL || t->peer == NULL || core->now_us < c->due_us) return;
    c->due_us = core->now_us + PACE_US;
    /* A request for consent is never repeated: the next one has another transaction. */
    bool fresh = c->consented || !c->open || c->requests == REQUESTS;
    if (fresh && !open_transaction(core, t, c)) return;
    fw_request_send(core, t, &c->path, c->transaction, c->tie_breaker, c->controlling);
    c->requests++;
    if (c->consented) c->due_us = core->now_us + CONSENT_US + c->spread % CONSENT_SPREAD_US;
    else c->due_us = core->now_us + (c->requests < REQUESTS ? FIRST_WAIT_US << (c->requests - 1) : LAST_WAIT_US);
}

/* Checks again, from the start, in the other role. */
static void change_role(fw_core_t *core, fw_transport_t *t) {
    fw_ice_ask_t *c = t->ask;
    c->controlling = !c->controlling;
    c->consented = false;
    close_transaction(core, t, c);
    c->due_us = core->now_us + PACE_US;
    core->counters.role_conflicts++;
    fw_mark_due(core, t);
}

/* The answer to a check of ours. */
static void take_answer(fw_core_t *core, fw_transport_t *t, const fw_path_t *path, const fw_stun_t *stun) {
    fw_ice_ask_t *c = t->ask;
    if (stun->type == FW_STUN_BINDING_ERROR) {
        if (stun->error_code == 487) change_role(core, t);
        return;
    }
    close_transaction(core, t, c);
    if (!c->consented) c->due_us = core->now_us + CONSENT_US + c->spread % CONSENT_SPREAD_US;
    c->consented = true;
    fw_ice_reached(core, t, path, c->controlling);
}

void fw_ice_ask_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, const fw_stun_t *stun) {
    fw_transport_t *t = fw_request_sender(core, stun->transaction);
    if (t == NULL || t->peer == NULL) {
        core->counters.drop_stun_unmatched++;
        return;
    }
    if (stun->integrity == NULL || !fw_credentials_authentic(&t->peer->hmac, data, stun)) {
        core->counters.drop_stun_integrity++;
        return;
    }
    const fw_ice_ask_t *c = t->ask;
    bool asked = c != NULL && c->open && memcmp(c->transaction, stun->transaction, sizeof c->transaction) == 0;
    if (asked && fw_ice_same_peer(&c->path, path)) take_answer(core, t, path, stun);
    else if (asked || !fw_ice_answered(core, t, path, stun->transaction)) core->counters.drop_stun_unmatched++;
}

bool fw_ice_ask_conflicts(fw_core_t *core, fw_transport_t *t, const fw_stun_t *stun) {
    fw_ice_ask_t *c = t->ask;
    if (c == NULL) return stun->controlled;
    if (c->controlling ? !stun->controlling : !stun->controlled) return false;
    bool larger = c->tie_breaker >= stun->tie_breaker;
    if (c->controlling == larger) return true;
    change_role(core, t);
    return false;
}

bool fw_ice_ask_nominates(const fw_transport_t *t) { return t->ask != NULL && t->ask->controlling; }
