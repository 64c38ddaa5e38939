#include "seen_checks.h"

#include <stdlib.h>

#include "../wire/stun.h"

enum { FIRST_CAPACITY = 16, LAST_CAPACITY = 1 << 15 };

/* A table is at most two thirds full. */
static uint32_t room(uint32_t capacity) { return capacity / 3 * 2 + 1; }

_Static_assert(FW_SEEN_CHECKS == LAST_CAPACITY / 3 * 2 + 1, "one full table holds as many as are promised");

/* The place of a digest, or the free place where it belongs. The table has a free place. */
static uint32_t place_of(const fw_digests_t *table, uint32_t digest) {
    uint32_t place = digest & (table->capacity - 1);
    while (table->digests[place] != 0 && table->digests[place] != digest) place = (place + 1) & (table->capacity - 1);
    return place;
}

static bool has(const fw_digests_t *table, uint32_t digest) {
    return table->capacity > 0 && table->digests[place_of(table, digest)] == digest;
}

static void clear(fw_digests_t *table) {
    free(table->digests);
    *table = (fw_digests_t){0};
}

static bool grow(fw_digests_t *table) {
    fw_digests_t larger = {.capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2, .count = table->count};
    larger.digests = calloc(larger.capacity, sizeof *larger.digests);
    if (larger.digests == NULL) return false;
    for (uint32_t i = 0; i < table->capacity; i++)
        if (table->digests[i] != 0) larger.digests[place_of(&larger, table->digests[i])] = table->digests[i];
    free(table->digests);
    *table = larger;
    return true;
}

bool fw_seen_checks_add(fw_core_t *core, fw_transport_t *t, const uint8_t *transaction) {
    fw_digests_t *newest = &t->checks[0], *older = &t->checks[1];
    uint32_t digest = (uint32_t)fw_path_mix(transaction, FW_STUN_TRANSACTION_BYTES, core->config.hash_seed);
    if (digest == 0) digest = 1;
    if (has(newest, digest) || has(older, digest)) return false;
    if (newest->capacity == LAST_CAPACITY && newest->count == room(LAST_CAPACITY)) {
        clear(older);
        *older = *newest;
        *newest = (fw_digests_t){0};
    }
    if (newest->capacity == 0 || newest->count == room(newest->capacity)) {
        if (!grow(newest)) return false;
    }
    newest->digests[place_of(newest, digest)] = digest;
    newest->count++;
    return true;
}

void fw_seen_checks_forget(fw_transport_t *t) {
    clear(&t->checks[0]);
    clear(&t->checks[1]);
}
