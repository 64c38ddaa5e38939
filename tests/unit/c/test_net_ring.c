/* The ring between two threads: every record once, in order, whole; full means unchanged. */
#include <sched.h>
#include <string.h>

#include "net/ring.h"
#include "net_check.h"

#define RECORDS 200000u

/* The content of record `i` and its split into head and body depend only on its number. */
static uint32_t record_of(uint32_t i, uint32_t largest, uint8_t *bytes, uint32_t *head_len) {
    uint64_t seed = i;
    uint64_t random = next_random(&seed);
    uint32_t len = (uint32_t)(random % (random & 64 ? largest + 1 : 48));
    memset(bytes, (int)(i % 251), len);
    if (len >= sizeof(i))
        memcpy(bytes + len - sizeof(i), &i, sizeof(i));
    *head_len = len ? (uint32_t)(random >> 32) % (len + 1) : 0;
    return len;
}

static bool push(fw_ring_t *ring, uint32_t i) {
    uint8_t bytes[2048];
    uint32_t head;
    uint32_t len = record_of(i, fw_ring_max_record(ring), bytes, &head);
    return fw_ring_push(ring, i, bytes, head, bytes + head, len - head);
}

static void check_and_pop(fw_ring_t *ring, const fw_record_t *record, uint32_t i) {
    uint8_t bytes[2048];
    uint32_t head;
    CHECK(record->tag == i);
    CHECK(record->len == record_of(i, fw_ring_max_record(ring), bytes, &head));
    CHECK((uintptr_t)record->data % 8 == 0);
    CHECK(memcmp(record->data, bytes, record->len) == 0);
    fw_ring_pop(ring);
}

static void *produce(void *ring) {
    for (uint32_t i = 0; i < RECORDS; i++)
        while (!push(ring, i))
            sched_yield();
    return NULL;
}

static void *consume(void *ring) {
    for (uint32_t i = 0; i < RECORDS; i++) {
        fw_record_t record;
        while (!fw_ring_peek(ring, &record))
            sched_yield();
        check_and_pop(ring, &record, i);
    }
    return NULL;
}

static void test_two_threads_pass_every_record_once_and_in_order(void) {
    fw_ring_t *ring = fw_ring_create(4096);
    run_both(produce, consume, ring);
    CHECK(fw_ring_used_bytes(ring) == 0);
    fw_ring_destroy(ring);
}

static void test_a_full_ring_refuses_and_keeps_what_it_has(void) {
    fw_ring_t *ring = fw_ring_create(4096);
    uint64_t seed = 1;
    uint32_t pushed = 0;
    uint32_t popped = 0;
    for (int step = 0; step < 20000; step++) { /* the ring stands between empty and full at every offset */
        uint64_t used = fw_ring_used_bytes(ring);
        if (next_random(&seed) % 9 < 5) {
            bool fits = push(ring, pushed);
            pushed += fits;
            CHECK(fits ? fw_ring_used_bytes(ring) > used : fw_ring_used_bytes(ring) == used && used > 0);
        } else {
            fw_record_t record;
            bool any = fw_ring_peek(ring, &record);
            CHECK(any == (pushed != popped) && any == fw_ring_peek(ring, &record));
            if (any)
                check_and_pop(ring, &record, popped++);
            CHECK(any ? fw_ring_used_bytes(ring) < used : fw_ring_used_bytes(ring) == 0);
        }
        fw_ring_pop(ring); /* without a peek: no effect */
    }
    CHECK(pushed > 1000);
    fw_ring_destroy(ring);
}

static void test_the_longest_record_fits_an_empty_ring_at_every_offset(void) {
    fw_ring_t *ring = fw_ring_create(5000);
    uint32_t longest = fw_ring_max_record(ring);
    CHECK(longest == 4096 - 8);
    uint8_t bytes[4096] = {0};
    for (uint32_t offset = 0; offset < 1024; offset++) {
        fw_record_t record;
        CHECK(fw_ring_push(ring, 1, bytes, longest, NULL, 0));
        CHECK(fw_ring_peek(ring, &record) && record.len == longest);
        fw_ring_pop(ring);
        CHECK(fw_ring_push(ring, 2, NULL, 0, NULL, 0));
        CHECK(fw_ring_peek(ring, &record) && record.len == 0 && record.tag == 2);
        fw_ring_pop(ring);
        CHECK(!fw_ring_push(ring, 3, bytes, longest, bytes, 1));
        CHECK(!fw_ring_push(ring, 3, bytes, UINT32_MAX, bytes, UINT32_MAX));
        CHECK(!fw_ring_peek(ring, &record));
    }
    fw_ring_destroy(ring);
    CHECK(fw_ring_create(SIZE_MAX) == NULL);
}

int main(void) {
    test_a_full_ring_refuses_and_keeps_what_it_has();
    test_the_longest_record_fits_an_empty_ring_at_every_offset();
    test_two_threads_pass_every_record_once_and_in_order();
}
