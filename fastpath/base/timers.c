#include "timers.h"

#include <stdlib.h>

void fw_timers_free(fw_timers_t *t) {
    free(t->heap);
    *t = (fw_timers_t){0};
}

bool fw_timers_reserve(fw_timers_t *t, uint32_t count) {
    if (count < t->capacity) return true;
    uint32_t capacity = count < 16 ? 32 : count * 2;
    fw_timer_t **heap = realloc(t->heap, capacity * sizeof(fw_timer_t *));
    if (heap == NULL) return false;
    t->heap = heap;
    t->capacity = capacity;
    return true;
}

static void place(fw_timers_t *t, fw_timer_t *timer, uint32_t at) {
    t->heap[at] = timer;
    timer->place = at;
}

static void rise(fw_timers_t *t, fw_timer_t *timer, uint32_t at) {
    for (; at > 1 && t->heap[at / 2]->due_us > timer->due_us; at /= 2) place(t, t->heap[at / 2], at);
    place(t, timer, at);
}

static void sink(fw_timers_t *t, fw_timer_t *timer, uint32_t at) {
    for (uint32_t child = at * 2; child <= t->count; child = at * 2) {
        if (child < t->count && t->heap[child + 1]->due_us < t->heap[child]->due_us) child++;
        if (t->heap[child]->due_us >= timer->due_us) break;
        place(t, t->heap[child], at);
        at = child;
    }
    place(t, timer, at);
}

static void take_out(fw_timers_t *t, fw_timer_t *timer) {
    uint32_t at = timer->place;
    fw_timer_t *last = t->heap[t->count--];
    timer->place = 0;
    if (last == timer) return;
    sink(t, last, at);
    rise(t, last, last->place);
}

void fw_timers_set(fw_timers_t *t, fw_timer_t *timer, uint64_t due_us) {
    if (due_us == UINT64_MAX) {
        if (timer->place != 0) take_out(t, timer);
        timer->due_us = due_us;
        return;
    }
    if (timer->place == 0) timer->place = ++t->count;
    uint32_t at = timer->place;
    timer->due_us = due_us;
    t->heap[at] = timer;
    sink(t, timer, at);
    rise(t, timer, timer->place);
}

fw_timer_t *fw_timers_take(fw_timers_t *t, uint64_t now_us) {
    if (t->count == 0 || t->heap[1]->due_us > now_us) return NULL;
    fw_timer_t *timer = t->heap[1];
    take_out(t, timer);
    return timer;
}
