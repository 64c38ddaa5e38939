/* A table of items by id. An id is a slot and its generation, so that looking up the id of a removed item fails. */
#ifndef FW_BASE_SLOTS_H
#define FW_BASE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define FW_SLOT_BITS 24

typedef struct {
    void **items;
    uint32_t *generations; /* of the item in each slot, from 1 */
    uint32_t *free;        /* stack of free slots */
    uint32_t capacity;
    uint32_t free_count;
    uint32_t limit; /* at most 2^FW_SLOT_BITS */
} fw_slots_t;

void fw_slots_init(fw_slots_t *s, uint32_t limit);
void fw_slots_free(fw_slots_t *s);

/* Adds an item and returns its id, or 0 where the limit is reached or memory is short. */
uint64_t fw_slots_put(fw_slots_t *s, void *item);
/* The item, or NULL for an unknown or stale id. */
void *fw_slots_get(const fw_slots_t *s, uint64_t id);
void fw_slots_remove(fw_slots_t *s, uint64_t id);

static inline uint32_t fw_slot_of(uint64_t id) { return (uint32_t)(id & ((1U << FW_SLOT_BITS) - 1)); }
static inline uint32_t fw_slots_count(const fw_slots_t *s) { return s->capacity - s->free_count; }

#endif
