#include "cache.h"

#include <stdlib.h>

#define NOTHING (FW_CACHE_NONE << 2)

static uint64_t *make(uint64_t size) {
    uint64_t *entries = malloc(size * sizeof *entries);
    for (uint64_t i = 0; entries != NULL && i < size; i++) entries[i] = NOTHING;
    return entries;
}

bool fw_cache_init(fw_cache_t *c) {
    *c = (fw_cache_t){.entries = make(FW_CACHE_LEAST), .size = FW_CACHE_LEAST};
    return c->entries != NULL;
}

void fw_cache_free(fw_cache_t *c) { free(c->entries); }

void fw_cache_grow(fw_cache_t *c, uint64_t highest_seq64) {
    fw_cache_t larger = {.entries = make(c->size * 2), .size = c->size * 2};
    if (larger.entries == NULL) return;
    for (uint64_t back = 0; back < c->size; back++)
        *fw_cache_entry(&larger, highest_seq64 - back) = *fw_cache_entry(c, highest_seq64 - back);
    free(c->entries);
    *c = larger;
}

void fw_cache_advance(fw_cache_t *c, uint64_t highest_seq64, uint64_t seq64) {
    uint64_t steps = seq64 - highest_seq64;
    if (steps > c->size) steps = c->size;
    for (uint64_t back = 0; back < steps; back++) *fw_cache_entry(c, seq64 - back) = NOTHING;
    fw_cache_mark(c, seq64, FW_CACHE_CAME);
}

void fw_cache_restart(fw_cache_t *c) {
    for (uint64_t i = 0; i < c->size; i++) c->entries[i] &= ~UINT64_C(3);
}
