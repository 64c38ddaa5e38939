/* Shared by every fuzz target: the entry point that libFuzzer and replay.c call, and an assert that stays on. */
#ifndef FW_TESTS_FUZZ_H
#define FW_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* True where the `len` bytes at `part` lie within the input. */
static inline bool fuzz_within(const uint8_t *part, size_t len, const uint8_t *data, size_t size) {
    return part >= data && part <= data + size && len <= (size_t)(data + size - part);
}

#endif
