#include "request.h"

#include "../wire/bytes.h"
#include "credentials.h"

/* Of a peer-reflexive candidate (RFC 8445 section 5.1.2.1). */
#define PRIORITY ((110U << 24) + (65535U << 8) + 255U)

static fw_key_t key_of(const uint8_t *transaction) { return fw_key(transaction, FW_STUN_TRANSACTION_BYTES); }

bool fw_request_open(fw_core_t *core, fw_transport_t *t, uint8_t *transaction, uint32_t *spread) {
    uint8_t seed[8];
    uint8_t tag[FW_HMAC_BYTES];
    fw_store64(seed, ++core->requests);
    if (!fw_hmac_compute(&core->draw, seed, sizeof seed, NULL, 0, tag)) return false;
    /* The counter keeps transactions apart whatever the HMAC is. */
    fw_store64(transaction, fw_load64(tag) ^ core->requests);
    memcpy(transaction + 8, tag + 8, FW_STUN_TRANSACTION_BYTES - 8);
    *spread = fw_load32(tag + FW_STUN_TRANSACTION_BYTES);
    fw_key_t key = key_of(transaction);
    return fw_map_put(&core->by_check, &key, t);
}

void fw_request_close(fw_core_t *core, const fw_transport_t *t, const uint8_t *transaction) {
    fw_key_t key = key_of(transaction);
    if (fw_map_get(&core->by_check, &key) == t) fw_map_remove(&core->by_check, &key);
}

fw_transport_t *fw_request_sender(const fw_core_t *core, const uint8_t *transaction) {
    fw_key_t key = key_of(transaction);
    return fw_map_get(&core->by_check, &key);
}

/* The peer's ufrag, a colon, and ours (RFC 8445 section 7.2.2); returns its length. */
static size_t put_username(char *out, const fw_transport_t *t) {
    const char *own = (const char *)&t->credentials.ufrag;
    size_t len = t->peer->ufrag_len;
    memcpy(out, t->peer->ufrag, len);
    out[len++] = ':';
    for (unsigned i = 0; i < FW_UFRAG_BYTES && own[i] != 0; i++) out[len++] = own[i];
    return len;
}

void fw_request_send(fw_core_t *core, const fw_transport_t *t, const fw_path_t *path, const uint8_t *transaction,
                     uint64_t tie_breaker, bool controlling) {
    char username[2 * FW_UFRAG_BYTES + 1];
    fw_stun_check_t check = {.username = username,
                             .username_len = put_username(username, t),
                             .tie_breaker = tie_breaker,
                             .priority = PRIORITY,
                             .controlling = controlling};
    uint8_t *out = fw_outbox_begin(&core->outbox);
    size_t n = fw_stun_begin_request(out, transaction, &check);
    if (!fw_hmac_compute(&t->peer->hmac, out, n, NULL, 0, out + n + 4)) return;
    fw_outbox_add(&core->outbox, path, fw_stun_finish(out, n));
    core->counters.stun_out++;
}
