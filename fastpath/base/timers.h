/* Deadlines in a binary heap: the next one is known at once, and nothing walks those that are not due. */
#ifndef FW_BASE_TIMERS_H
#define FW_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t due_us;
    uint32_t place; /* in the heap, 0 where it is not there */
} fw_timer_t;

typedef struct {
    fw_timer_t **heap; /* from index 1 */
    uint32_t count;
    uint32_t capacity;
} fw_timers_t;

void fw_timers_free(fw_timers_t *t);

/* Makes room for `count` timers, so that setting one never fails. False where memory is short. */
bool fw_timers_reserve(fw_timers_t *t, uint32_t count);

/* Sets or moves a timer; UINT64_MAX takes it out. */
void fw_timers_set(fw_timers_t *t, fw_timer_t *timer, uint64_t due_us);

/* The earliest deadline, UINT64_MAX for none. */
static inline uint64_t fw_timers_next_us(const fw_timers_t *t) { return t->count > 0 ? t->heap[1]->due_us : UINT64_MAX; }

/* Takes out the earliest timer if it is due, else NULL. */
fw_timer_t *fw_timers_take(fw_timers_t *t, uint64_t now_us);

#endif
