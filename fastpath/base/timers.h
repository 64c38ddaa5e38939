/* Deadlines in a binary heap: the earliest is read in O(1), setting one takes O(log n). */
#ifndef FW_BASE_TIMERS_H
#define FW_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t due_us;
    uint32_t place; /* index in the heap, 0 where not set */
} fw_timer_t;

typedef struct {
    fw_timer_t **heap; /* from index 1 */
    uint32_t count;
    uint32_t capacity;
} fw_timers_t;

void fw_timers_free(fw_timers_t *t);

/* Makes room for `count` timers, so that setting one never fails. False where memory is short. */
bool fw_timers_reserve(fw_timers_t *t, uint32_t count);

/* Sets or moves a timer. UINT64_MAX clears it. */
void fw_timers_set(fw_timers_t *t, fw_timer_t *timer, uint64_t due_us);

/* The earliest deadline, or UINT64_MAX where no timer is set. */
static inline uint64_t fw_timers_next_us(const fw_timers_t *t) { return t->count > 0 ? t->heap[1]->due_us : UINT64_MAX; }

/* Clears and returns the earliest timer if it is due, else NULL. */
fw_timer_t *fw_timers_take(fw_timers_t *t, uint64_t now_us);

#endif
