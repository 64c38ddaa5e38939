#include "owners.h"

#include "../wire/dtls.h"

/* The local address is not part of the key: it may change while the peer stays. */
static fw_key_t key_of(const fw_path_t *path) {
    struct {
        fw_address_t remote;
        uint32_t socket;
        uint32_t serial;
    } key = {path->remote, path->socket, path->serial};
    _Static_assert(sizeof key <= sizeof(fw_key_t), "no part of it is cut off");
    return fw_key(&key, sizeof key);
}

fw_transport_t *fw_ice_transport(const fw_core_t *core, const fw_path_t *path) {
    fw_key_t key = key_of(path);
    return fw_map_get(&core->by_path, &key);
}

bool fw_ice_same_peer(const fw_path_t *a, const fw_path_t *b) {
    return a->socket == b->socket && a->serial == b->serial && fw_address_equal(&a->remote, &b->remote);
}

static bool handshake_begun(const fw_transport_t *t) { return t->dtls_sent || t->client_hello != 0; }

/* Whether the owner keeps the path although `t` was checked there. A participant may send a check of its own session with the
 * source of another: that must not take the path away. A transport with keys, which cannot handshake again, gets a silent path. */
static bool keeps(const fw_core_t *core, const fw_transport_t *owner, const fw_transport_t *t, const fw_path_t *path) {
    if (!fw_ice_same_peer(&owner->path, path) || !(owner->state == FW_KEYED || handshake_begun(owner))) return false;
    return t->state != FW_KEYED || core->now_us - owner->path_heard_us <= FW_PATH_SILENT_US;
}

static void remove_claim(fw_core_t *core, const fw_transport_t *t, const fw_key_t *key) {
    if (fw_map_get(&core->by_claim, key) == t) fw_map_remove(&core->by_claim, key);
}

bool fw_owners_add(fw_core_t *core, fw_transport_t *t, const fw_path_t *path) {
    fw_key_t key = key_of(path);
    const fw_transport_t *owner = fw_map_get(&core->by_path, &key);
    if (owner == t) return true;
    if (owner != NULL && keeps(core, owner, t, path)) return fw_map_put(&core->by_claim, &key, t);
    remove_claim(core, t, &key);
    return fw_map_put(&core->by_path, &key, t);
}

void fw_owners_remove(fw_core_t *core, const fw_transport_t *t, const fw_path_t *path) {
    fw_key_t key = key_of(path);
    remove_claim(core, t, &key);
    if (fw_map_get(&core->by_path, &key) != t) return;
    fw_transport_t *claimant = fw_map_get(&core->by_claim, &key);
    if (claimant == NULL) {
        fw_map_remove(&core->by_path, &key);
    } else {
        (void)fw_map_put(&core->by_path, &key, claimant); /* replaces an entry: needs no memory */
        fw_map_remove(&core->by_claim, &key);
    }
}

fw_transport_t *fw_owners_take_over(fw_core_t *core, fw_transport_t *t) {
    fw_key_t key = key_of(&t->path);
    fw_transport_t *owner = fw_map_get(&core->by_path, &key);
    if (owner == t || owner == NULL) return NULL;
    remove_claim(core, t, &key);
    (void)fw_map_put(&core->by_path, &key, t); /* replaces an entry: needs no memory */
    return fw_ice_same_peer(&owner->path, &t->path) ? owner : NULL;
}

fw_transport_t *fw_owners_dtls(fw_core_t *core, fw_transport_t *owner, const fw_path_t *path, const uint8_t *data, size_t len) {
    fw_key_t key = key_of(path);
    fw_transport_t *claimant = fw_map_get(&core->by_claim, &key);
    const uint8_t *random = fw_dtls_client_random(data, len);
    if (random == NULL) {
        bool handshake = claimant != NULL && handshake_begun(claimant) && fw_dtls_is_handshake(data, len);
        return handshake ? claimant : owner;
    }
    uint64_t hello = fw_path_mix(random, FW_DTLS_RANDOM_BYTES, core->config.hash_seed) | 1;
    fw_transport_t *t = claimant != NULL && hello != owner->client_hello ? claimant : owner;
    if (t == claimant || t->client_hello == 0) t->client_hello = hello;
    return t;
}
