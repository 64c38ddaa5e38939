#include "map.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 8 };

void fw_map_init(fw_map_t *m, uint64_t seed) { *m = (fw_map_t){.seed = seed}; }

void fw_map_free(fw_map_t *m) {
    free(m->entries);
    m->entries = NULL;
    m->capacity = m->count = 0;
}

static uint32_t home(const fw_map_t *m, const fw_key_t *key) {
    uint64_t h = m->seed;
    for (size_t i = 0; i < sizeof key->words / sizeof *key->words; i++) {
        h = (h ^ key->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16) & (m->capacity - 1);
}

/* The entry that holds `key`, or the free one where it would go. */
static fw_map_entry_t *find(const fw_map_t *m, const fw_key_t *key) {
    uint32_t i = home(m, key);
    while (m->entries[i].value != NULL && memcmp(&m->entries[i].key, key, sizeof *key) != 0) i = (i + 1) & (m->capacity - 1);
    return &m->entries[i];
}

void *fw_map_get(const fw_map_t *m, const fw_key_t *key) { return m->count == 0 ? NULL : find(m, key)->value; }

static bool grow(fw_map_t *m) {
    fw_map_t larger = {.capacity = m->capacity == 0 ? FIRST_CAPACITY : m->capacity * 2, .count = m->count, .seed = m->seed};
    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (larger.entries == NULL) return false;
    for (uint32_t i = 0; i < m->capacity; i++)
        if (m->entries[i].value != NULL) *find(&larger, &m->entries[i].key) = m->entries[i];
    free(m->entries);
    *m = larger;
    return true;
}

bool fw_map_put(fw_map_t *m, const fw_key_t *key, void *value) {
    if (m->count * 2 >= m->capacity && !grow(m)) return false;
    fw_map_entry_t *entry = find(m, key);
    if (entry->value == NULL) m->count++;
    *entry = (fw_map_entry_t){.key = *key, .value = value};
    return true;
}

void fw_map_remove(fw_map_t *m, const fw_key_t *key) {
    if (m->count == 0) return;
    fw_map_entry_t *entry = find(m, key);
    if (entry->value == NULL) return;
    entry->value = NULL;
    m->count--;
    /* What was pushed past the hole moves back, so that no search ends at it too early. */
    uint32_t hole = (uint32_t)(entry - m->entries);
    for (uint32_t i = (hole + 1) & (m->capacity - 1); m->entries[i].value != NULL; i = (i + 1) & (m->capacity - 1)) {
        uint32_t from_home = (i - home(m, &m->entries[i].key)) & (m->capacity - 1);
        uint32_t from_hole = (i - hole) & (m->capacity - 1);
        if (from_home < from_hole) continue;
        m->entries[hole] = m->entries[i];
        m->entries[i].value = NULL;
        hole = i;
    }
}
