/* Things found by id: a slot and its generation, so that the id of a thing that is gone is an error and not a crash. */
#ifndef FW_BASE_SLOTS_H
#define FW_BASE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define FW_SLOT_BITS 24

typedef struct {
    void **items;
    uint32_t *generations; /* of the item in each slot, from 1 */
    uint32_t *free;        /* a stack */
    uint32_t capacity;
    uint32_t free_count;
    uint32_t limit; /* at most 2^FW_SLOT_BITS */
} fw_slots_t;

void fw_slots_init(fw_slots_t *s, uint32_t limit);
void fw_slots_free(fw_slots_t *s);

/* Puts an item; its id, never 0, or 0 where the limit or memory is used up. */
uint64_t fw_slots_put(fw_slots_t *s, void *item);
/* The item, or NULL for an id that is stale or never was. */
void *fw_slots_get(const fw_slots_t *s, uint64_t id);
void fw_slots_remove(fw_slots_t *s, uint64_t id);

static inline uint32_t fw_slot_of(uint64_t id) { return (uint32_t)(id & ((1U << FW_SLOT_BITS) - 1)); }
static inline uint32_t fw_slots_count(const fw_slots_t *s) { return s->capacity - s->free_count; }

#endif
