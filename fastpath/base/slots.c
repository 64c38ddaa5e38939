#include "slots.h"

#include <stdlib.h>
#include <string.h>

void fw_slots_init(fw_slots_t *s, uint32_t limit) { *s = (fw_slots_t){.limit = limit}; }

void fw_slots_free(fw_slots_t *s) {
    free(s->items);
    free(s->generations);
    free(s->free);
    *s = (fw_slots_t){0};
}

static bool grow(fw_slots_t *s) {
    uint32_t capacity = s->capacity == 0 ? 16 : s->capacity * 2;
    if (capacity > s->limit) capacity = s->limit;
    if (capacity <= s->capacity) return false;
    void **items = realloc(s->items, capacity * sizeof *items);
    if (items != NULL) s->items = items;
    uint32_t *generations = realloc(s->generations, capacity * sizeof *generations);
    if (generations != NULL) s->generations = generations;
    uint32_t *unused = realloc(s->free, capacity * sizeof *unused);
    if (unused != NULL) s->free = unused;
    if (items == NULL || generations == NULL || unused == NULL) return false;
    for (uint32_t slot = capacity; slot-- > s->capacity;) {
        items[slot] = NULL;
        generations[slot] = 0;
        unused[s->free_count++] = slot;
    }
    s->capacity = capacity;
    return true;
}

uint64_t fw_slots_put(fw_slots_t *s, void *item) {
    if (s->free_count == 0 && !grow(s)) return 0;
    uint32_t slot = s->free[--s->free_count];
    s->items[slot] = item;
    s->generations[slot]++;
    if (s->generations[slot] == 0) s->generations[slot] = 1;
    return (uint64_t)s->generations[slot] << FW_SLOT_BITS | slot;
}

void *fw_slots_get(const fw_slots_t *s, uint64_t id) {
    uint32_t slot = fw_slot_of(id);
    if (slot >= s->capacity || s->generations[slot] != id >> FW_SLOT_BITS) return NULL;
    return s->items[slot];
}

void fw_slots_remove(fw_slots_t *s, uint64_t id) {
    if (fw_slots_get(s, id) == NULL) return;
    s->items[fw_slot_of(id)] = NULL;
    s->free[s->free_count++] = fw_slot_of(id);
}
