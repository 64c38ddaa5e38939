#include "replay.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1 };

void fw_replay_init(fw_replay_t *r, uint32_t window) { *r = (fw_replay_t){.words = window / 64}; }

void fw_replay_free(fw_replay_t *r) {
    free(r->sources);
    r->sources = NULL;
    r->count = r->capacity = 0;
}

static size_t source_bytes(const fw_replay_t *r) { return sizeof(fw_replay_source_t) + r->words * sizeof(uint64_t); }

size_t fw_replay_bytes(const fw_replay_t *r) { return r->capacity * source_bytes(r); }

static fw_replay_source_t *at(const fw_replay_t *r, uint32_t place) {
    return (fw_replay_source_t *)(void *)(r->sources + place * source_bytes(r));
}

/* Returns the position of the SSRC in `sources`, or the position to insert it at. */
static uint32_t position_of(const fw_replay_t *r, uint32_t ssrc) {
    uint32_t first = 0, end = r->count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (at(r, middle)->ssrc < ssrc)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static fw_replay_source_t *find(const fw_replay_t *r, uint32_t ssrc) {
    uint32_t place = position_of(r, ssrc);
    return place < r->count && at(r, place)->ssrc == ssrc ? at(r, place) : NULL;
}

const fw_replay_source_t *fw_replay_find(const fw_replay_t *r, uint32_t ssrc) { return find(r, ssrc); }

bool fw_replay_fresh(const fw_replay_t *r, const fw_replay_source_t *source, uint64_t index) {
    if (source == NULL || index > source->highest) return true;
    if (source->highest - index >= r->words * 64) return false;
    return (source->window[index / 64 % r->words] >> index % 64 & 1) == 0;
}

static fw_replay_source_t *add(fw_replay_t *r, uint32_t ssrc) {
    if (r->count == r->capacity) {
        uint32_t capacity = r->capacity > 0 ? 2 * r->capacity : FIRST_CAPACITY;
        uint8_t *grown = realloc(r->sources, capacity * source_bytes(r));
        if (grown == NULL) return NULL;
        r->sources = grown;
        r->capacity = capacity;
    }
    uint32_t place = position_of(r, ssrc);
    fw_replay_source_t *source = at(r, place);
    memmove(r->sources + (place + 1) * source_bytes(r), source, (r->count - place) * source_bytes(r));
    memset(source, 0, source_bytes(r));
    source->ssrc = ssrc;
    r->count++;
    return source;
}

bool fw_replay_take(fw_replay_t *r, uint32_t ssrc, uint64_t index) {
    fw_replay_source_t *source = find(r, ssrc);
    if (source == NULL) source = add(r, ssrc);
    if (source == NULL) return false;
    if (index > source->highest) {
        uint64_t first = source->highest + 1;
        if (index - first >= r->words * 64) first = index - r->words * 64 + 1;
        for (; first <= index; first++) source->window[first / 64 % r->words] &= ~(UINT64_C(1) << first % 64);
        source->highest = index;
    }
    source->window[index / 64 % r->words] |= UINT64_C(1) << index % 64;
    return true;
}
