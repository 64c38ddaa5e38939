/* Shared by the C tests of fastpath/net: checks that report their line, pseudo-random bytes, threads. */
#ifndef NET_CHECK_H
#define NET_CHECK_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                           \
    do {                                                                                                           \
        if (!(condition)) {                                                                                        \
            fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, #condition);                \
            exit(1);                                                                                               \
        }                                                                                                          \
    } while (0)

/* splitmix64: the same values from the same seed everywhere. */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void fill_random(uint8_t *to, size_t len, uint64_t seed) {
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)next_random(&seed);
}

/* Runs `other` on a thread of its own beside `mine` on this one. */
static inline void run_both(void *(*other)(void *), void *(*mine)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, other, argument) == 0);
    mine(argument);
    CHECK(pthread_join(thread, NULL) == 0);
}

#endif
