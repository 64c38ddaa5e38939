#include "map.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4 };

void fw_map_init(fw_map_t *m, uint32_t words, uint64_t seed) { *m = (fw_map_t){.words = words, .seed = seed}; }

void fw_map_free(fw_map_t *m) {
    free(m->entries);
    m->entries = NULL;
    m->capacity = m->count = 0;
}

static uint32_t home(const fw_map_t *m, const uint64_t *key) {
    uint64_t h = m->seed;
    for (uint32_t i = 0; i < m->words; i++) {
        h = (h ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16) & (m->capacity - 1);
}

static uint64_t *entry_at(const fw_map_t *m, uint32_t i) { return m->entries + (size_t)i * (m->words + 1); }

static bool is_free(const fw_map_t *m, uint32_t i) { return entry_at(m, i)[m->words] == 0; }

static void copy_entry(const fw_map_t *m, uint64_t *to, const uint64_t *from) {
    memcpy(to, from, (m->words + 1) * sizeof *to);
}

static bool holds(const fw_map_t *m, uint32_t i, const uint64_t *key) {
    const uint64_t *own = entry_at(m, i);
    uint64_t differences = 0;
    for (uint32_t word = 0; word < m->words; word++) differences |= own[word] ^ key[word];
    return differences == 0;
}

/* Index of the entry with `key`, or of the free entry where it would be inserted. */
static uint32_t find(const fw_map_t *m, const uint64_t *key) {
    uint32_t i = home(m, key);
    while (!is_free(m, i) && !holds(m, i, key)) i = (i + 1) & (m->capacity - 1);
    return i;
}

static void *value_at(const fw_map_t *m, uint32_t i) { return (void *)(uintptr_t)entry_at(m, i)[m->words]; }

void *fw_map_get(const fw_map_t *m, const fw_key_t *key) {
    return m->count == 0 ? NULL : value_at(m, find(m, key->words));
}

static bool grow(fw_map_t *m) {
    fw_map_t larger = *m;
    larger.capacity = m->capacity == 0 ? FIRST_CAPACITY : m->capacity * 2;
    larger.entries = calloc(larger.capacity, (m->words + 1) * sizeof *larger.entries);
    if (larger.entries == NULL) return false;
    for (uint32_t i = 0; i < m->capacity; i++)
        if (!is_free(m, i)) copy_entry(m, entry_at(&larger, find(&larger, entry_at(m, i))), entry_at(m, i));
    free(m->entries);
    *m = larger;
    return true;
}

bool fw_map_put(fw_map_t *m, const fw_key_t *key, void *value) {
    if (m->count * 2 >= m->capacity && !grow(m)) return false;
    uint32_t i = find(m, key->words);
    if (is_free(m, i)) m->count++;
    memcpy(entry_at(m, i), key->words, m->words * sizeof *key->words);
    entry_at(m, i)[m->words] = (uintptr_t)value;
    return true;
}

void fw_map_remove(fw_map_t *m, const fw_key_t *key) {
    if (m->count == 0) return;
    uint32_t hole = find(m, key->words);
    if (is_free(m, hole)) return;
    m->count--;
    /* Entries that were displaced past the hole move back, so that no search ends at the hole. */
    uint32_t mask = m->capacity - 1;
    for (uint32_t i = (hole + 1) & mask; !is_free(m, i); i = (i + 1) & mask) {
        uint32_t from_home = (i - home(m, entry_at(m, i))) & mask;
        if (from_home < ((i - hole) & mask)) continue;
        copy_entry(m, entry_at(m, hole), entry_at(m, i));
        hole = i;
    }
    entry_at(m, hole)[m->words] = 0;
}
