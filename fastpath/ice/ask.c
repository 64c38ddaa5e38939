#include "ask.h"

#include <stdlib.h>

#include "../wire/bytes.h"
#include "credentials.h"
#include "paths.h"
#include "../state/marks.h"

/* RFC 8489 section 6.2.1: the wait for an answer doubles with each of 7 requests, and is 16 times the first in the end. */
enum { REQUESTS = 7, FIRST_WAIT_US = 500000, LAST_WAIT_US = 16 * FIRST_WAIT_US };

/* RFC 7675 section 5.1: consent is asked for every 5 seconds, a fifth more or less. */
enum { CONSENT_US = 4000000, CONSENT_SPREAD_US = 2000000 };

/* RFC 8445 section 14.2: checks are at least so far apart. */
enum { PACE_US = 50000 };

/* Of a peer-reflexive candidate (RFC 8445 section 5.1.2.1). */
#define PRIORITY ((110U << 24) + (65535U << 8) + 255U)

struct fw_ice_ask {
    fw_hmac_t hmac; /* keyed with the peer's password */
    fw_path_t path;
    uint64_t tie_breaker;
    uint64_t transactions; /* so far */
    uint64_t due_us;
    uint32_t requests; /* sent in this transaction */
    bool controlling;
    bool consented; /* a check has succeeded since the role was taken */
    bool open;      /* `transaction` waits for its answer */
    uint8_t transaction[FW_STUN_TRANSACTION_BYTES];
    uint32_t spread; /* as random as the transaction */
    size_t username_len;
    char username[2 * FW_UFRAG_BYTES + 1];
};

static fw_key_t transaction_key(const uint8_t *transaction) { return fw_key(transaction, FW_STUN_TRANSACTION_BYTES); }

static void close_transaction(fw_core_t *core, fw_ice_ask_t *c) {
    if (!c->open) return;
    fw_key_t key = transaction_key(c->transaction);
    fw_map_remove(&core->by_check, &key);
    c->open = false;
}

/* Its number is as good as random to all who do not know the password. False where memory is short. */
static bool open_transaction(fw_core_t *core, fw_transport_t *t, fw_ice_ask_t *c) {
    uint8_t seed[16];
    uint8_t tag[FW_HMAC_BYTES];
    close_transaction(core, c);
    fw_store64(seed, c->tie_breaker);
    fw_store64(seed + 8, ++c->transactions);
    if (!fw_hmac_compute(&c->hmac, seed, sizeof seed, NULL, 0, tag)) return false;
    memcpy(c->transaction, tag, sizeof c->transaction);
    c->spread = fw_load32(tag + sizeof c->transaction);
    c->requests = 0;
    fw_key_t key = transaction_key(c->transaction);
    c->open = fw_map_put(&core->by_check, &key, t);
    return c->open;
}

/* The peer's ufrag, a colon, and ours (RFC 8445 section 7.2.2). */
static void write_username(fw_ice_ask_t *c, const fw_transport_t *t, const fw_command_t *command) {
    const char *own = (const char *)&t->credentials.ufrag;
    size_t own_len = 0;
    while (own_len < FW_UFRAG_BYTES && own[own_len] != 0) own_len++;
    size_t len = command->u.check.ufrag_len;
    memcpy(c->username, command->u.check.ufrag, len);
    c->username[len] = ':';
    memcpy(c->username + len + 1, own, own_len);
    c->username_len = len + 1 + own_len;
}

fw_error_t fw_ice_ask_start(fw_core_t *core, fw_transport_t *t, const fw_command_t *command) {
    const struct fw_command_check *wanted = &command->u.check;
    if (t->state == FW_CLOSED) return FW_STALE_ID;
    if (wanted->ufrag_len < 4 || wanted->ufrag_len > FW_UFRAG_BYTES || wanted->pwd_len < 22 ||
        wanted->pwd_len > FW_PWD_BYTES || (wanted->path.family != 4 && wanted->path.family != 6) || wanted->path.stream != 0)
        return FW_REFUSED;
    fw_ice_ask_stop(core, t);
    fw_ice_ask_t *c = calloc(1, sizeof *c);
    if (c == NULL || !fw_hmac_init(&c->hmac, (const uint8_t *)wanted->pwd, wanted->pwd_len)) {
        free(c);
        return FW_LIMIT;
    }
    c->path = wanted->path;
    c->tie_breaker = wanted->tie_breaker;
    c->controlling = true;
    c->due_us = core->now_us;
    write_username(c, t, command);
    t->ask = c;
    fw_mark_due(core, t);
    return FW_DONE;
}

void fw_ice_ask_stop(fw_core_t *core, fw_transport_t *t) {
    if (t->ask == NULL) return;
    close_transaction(core, t->ask);
    free(t->ask);
    t->ask = NULL;
}

uint64_t fw_ice_ask_next_us(const fw_transport_t *t) { return t->ask == NULL ? UINT64_MAX : t->ask->due_us; }

static void ask(fw_core_t *core, const fw_ice_ask_t *c) {
    fw_stun_check_t check = {.username = c->username,
                             .username_len = c->username_len,
                             .tie_breaker = c->tie_breaker,
                             .priority = PRIORITY,
                             .controlling = c->controlling};
    uint8_t *out = fw_outbox_begin(&core->outbox);
    size_t n = fw_stun_begin_request(out, c->transaction, &check);
    if (!fw_hmac_compute(&c->hmac, out, n, NULL, 0, out + n + 4)) return;
    fw_outbox_add(&core->outbox, &c->path, fw_stun_finish(out, n));
    core->counters.stun_out++;
}

void fw_ice_ask_tick(fw_core_t *core, fw_transport_t *t) {
    fw_ice_ask_t *c = t->ask;
    if (c == NULL || core->now_us < c->due_us) return;
    c->due_us = core->now_us + PACE_US;
    /* A request for consent is not repeated: the next one is another transaction. */
    bool fresh = c->consented || !c->open || c->requests == REQUESTS;
    if (fresh && !open_transaction(core, t, c)) return;
    ask(core, c);
    c->requests++;
    if (c->consented) c->due_us = core->now_us + CONSENT_US + c->spread % CONSENT_SPREAD_US;
    else c->due_us = core->now_us + (c->requests < REQUESTS ? FIRST_WAIT_US << (c->requests - 1) : LAST_WAIT_US);
}

/* Checks again, from the start, in the other role. */
static void change_role(fw_core_t *core, fw_transport_t *t) {
    fw_ice_ask_t *c = t->ask;
    c->controlling = !c->controlling;
    c->consented = false;
    close_transaction(core, c);
    c->due_us = core->now_us + PACE_US;
    core->counters.role_conflicts++;
    fw_mark_due(core, t);
}

void fw_ice_ask_receive(fw_core_t *core, const fw_path_t *path, const uint8_t *data, const fw_stun_t *stun) {
    fw_key_t key = transaction_key(stun->transaction);
    fw_transport_t *t = fw_map_get(&core->by_check, &key);
    if (t == NULL || !fw_ice_same_peer(&t->ask->path, path)) {
        core->counters.drop_stun_unmatched++;
        return;
    }
    fw_ice_ask_t *c = t->ask;
    if (stun->integrity == NULL || !fw_credentials_authentic(&c->hmac, data, stun)) {
        core->counters.drop_stun_integrity++;
        return;
    }
    if (stun->type == FW_STUN_BINDING_ERROR) {
        if (stun->error_code == 487) change_role(core, t);
        return;
    }
    close_transaction(core, c);
    if (!c->consented) c->due_us = core->now_us + CONSENT_US + c->spread % CONSENT_SPREAD_US;
    c->consented = true;
    fw_ice_checked(core, t, path, c->controlling);
    fw_mark_due(core, t);
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
