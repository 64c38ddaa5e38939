#include "latest_cells.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGEST_CELL 65536u

/* Cells are guarded by a sequence lock: `memory` holds for each slot a sequence number, odd while the writer is in the
 * cell, then the cell in words. The dirty bits, 64 a word, lie in front of the first. */
struct fw_marks {
    _Atomic uint64_t *memory;
    size_t memory_bytes;
    size_t dirty_words;
    size_t cell_words;
    uint32_t cell_bytes;
    uint32_t slots;
    atomic_bool news; /* a bit may be set that the reader has not looked at since: an idle one need not look at all */
    bool looking;     /* the reader's: it has not been through all bits since there were news */
    uint32_t next;    /* the reader's: the slot to look at first, so that busy low slots do not starve the others */
};

fw_latest_cells_t *fw_latest_cells_create(uint32_t slots, uint32_t cell_bytes) {
    if (!slots || !cell_bytes || cell_bytes > LARGEST_CELL)
        return NULL;
    fw_latest_cells_t *marks = calloc(1, sizeof(*marks));
    if (!marks)
        return NULL;
    marks->slots = slots;
    marks->cell_bytes = cell_bytes;
    marks->dirty_words = ((size_t)slots + 63) / 64;
    marks->cell_words = ((size_t)cell_bytes + 7) / 8;
    marks->memory_bytes = (marks->dirty_words + slots * (1 + marks->cell_words)) * sizeof(uint64_t);
    void *memory = mmap(NULL, marks->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        free(marks);
        return NULL;
    }
    marks->memory = memory;
    return marks;
}

void fw_latest_cells_destroy(fw_latest_cells_t *marks) {
    if (!marks)
        return;
    munmap((void *)marks->memory, marks->memory_bytes);
    free(marks);
}

static _Atomic uint64_t *sequence_of(fw_latest_cells_t *marks, uint32_t slot) {
    return marks->memory + marks->dirty_words + slot * (1 + marks->cell_words);
}

static size_t word_bytes(const fw_latest_cells_t *marks, size_t word) {
    size_t left = marks->cell_bytes - word * 8;
    return left < 8 ? left : 8;
}

/* Each word is stored with release and loaded with acquire: a reader of one word of a write then sees the odd
 * sequence number that came before it. That needs no fences, which thread sanitizers cannot follow. */
void fw_latest_cells_set(fw_latest_cells_t *marks, uint32_t slot, const void *cell) {
    _Atomic uint64_t *sequence = sequence_of(marks, slot);
    uint64_t before = atomic_load_explicit(sequence, memory_order_relaxed);
    atomic_store_explicit(sequence, before + 1, memory_order_relaxed);
    for (size_t i = 0; i < marks->cell_words; i++) {
        uint64_t word = 0;
        memcpy(&word, (const uint8_t *)cell + i * 8, word_bytes(marks, i));
        atomic_store_explicit(sequence + 1 + i, word, memory_order_release);
    }
    atomic_store_explicit(sequence, before + 2, memory_order_release);
    atomic_fetch_or_explicit(marks->memory + slot / 64, UINT64_C(1) << (slot % 64), memory_order_release);
    atomic_store_explicit(&marks->news, true, memory_order_release);
}

/* Copies the cell; false when the writer was in it meanwhile. */
static bool read_cell(fw_latest_cells_t *marks, uint32_t slot, void *cell) {
    _Atomic uint64_t *sequence = sequence_of(marks, slot);
    uint64_t before = atomic_load_explicit(sequence, memory_order_acquire);
    for (size_t i = 0; i < marks->cell_words; i++) {
        uint64_t word = atomic_load_explicit(sequence + 1 + i, memory_order_acquire);
        memcpy((uint8_t *)cell + i * 8, &word, word_bytes(marks, i));
    }
    return before % 2 == 0 && before == atomic_load_explicit(sequence, memory_order_relaxed);
}

bool fw_latest_cells_next(fw_latest_cells_t *marks, uint32_t *slot, void *cell) {
    if (atomic_exchange_explicit(&marks->news, false, memory_order_acq_rel))
        marks->looking = true;
    if (!marks->looking)
        return false;
    size_t first = marks->next / 64;
    uint64_t wanted = UINT64_MAX << (marks->next % 64);
    for (size_t i = 0; i <= marks->dirty_words; i++, wanted = UINT64_MAX) { /* the first word's low bits come last */
        size_t at = (first + i) % marks->dirty_words;
        uint64_t bits = atomic_load_explicit(marks->memory + at, memory_order_relaxed) & wanted;
        for (; bits; bits &= bits - 1) {
            uint64_t lowest = bits & -bits;
            /* Cleared before the cell is read: a later write sets it again, an earlier one is seen. */
            atomic_fetch_and_explicit(marks->memory + at, ~lowest, memory_order_acq_rel);
            uint32_t found = (uint32_t)(at * 64) + (uint32_t)__builtin_ctzll(lowest);
            if (!read_cell(marks, found, cell))
                continue;
            *slot = found;
            marks->next = (found + 1) % marks->slots;
            return true;
        }
    }
    marks->looking = false;
    return false;
}
