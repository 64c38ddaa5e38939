/* Dirty marks: the reader gets only whole states, never an older one after a newer, and every slot's last one. */
#include <string.h>

#include "net/latest_cells.h"
#include "net_check.h"

#define SLOTS 200u
#define WRITES 300000u

typedef struct {
    uint64_t version; /* over all slots, from 1 */
    uint32_t slot;
    uint8_t filling[31]; /* an odd length: the last word is not whole */
} __attribute__((packed)) cell_t;

typedef struct {
    fw_latest_cells_t *marks;
    uint64_t last[SLOTS]; /* the writer's own record, for the reader after the join */
    uint64_t seen[SLOTS];
    _Atomic bool done;
} run_t;

static void write_version(run_t *run, uint32_t slot, uint64_t version) {
    cell_t cell = {.version = version, .slot = slot};
    memset(cell.filling, (int)(version % 251), sizeof(cell.filling));
    fw_latest_cells_set(run->marks, slot, &cell);
    run->last[slot] = version;
}

static bool read_one(run_t *run) {
    uint32_t slot;
    cell_t cell;
    if (!fw_latest_cells_next(run->marks, &slot, &cell))
        return false;
    uint8_t filling[sizeof(cell.filling)];
    memset(filling, (int)(cell.version % 251), sizeof(filling));
    CHECK(slot < SLOTS && cell.slot == slot);
    CHECK(memcmp(cell.filling, filling, sizeof(filling)) == 0);
    CHECK(cell.version >= run->seen[slot]);
    run->seen[slot] = cell.version;
    return true;
}

static void *keep_writing(void *argument) {
    run_t *run = argument;
    uint64_t seed = 7;
    for (uint64_t version = 1; version <= WRITES; version++) {
        uint64_t random = next_random(&seed);
        write_version(run, (uint32_t)(random & 1 ? (random >> 8) % 3 : (random >> 8) % SLOTS), version);
    }
    run->done = true;
    return NULL;
}

static void *keep_reading(void *argument) {
    run_t *run = argument;
    while (!run->done)
        read_one(run);
    return NULL;
}

static void test_no_state_is_torn_or_lost_between_two_threads(void) {
    static run_t run;
    run.marks = fw_latest_cells_create(SLOTS, sizeof(cell_t));
    run_both(keep_writing, keep_reading, &run);
    while (read_one(&run))
        ;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        CHECK(run.seen[slot] == run.last[slot]);
    fw_latest_cells_destroy(run.marks);
}

static void test_each_dirty_slot_comes_once_with_its_latest_state_and_in_turn(void) {
    static run_t run;
    run.marks = fw_latest_cells_create(SLOTS, sizeof(cell_t));
    CHECK(!read_one(&run));
    uint64_t version = 1;
    for (int round = 0; round < 2; round++)
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            write_version(&run, slot, version++);
    for (uint32_t slot = 0; slot < SLOTS; slot++) { /* slot 0 is dirty again each time, and starves none */
        CHECK(read_one(&run));
        CHECK(run.seen[slot] == run.last[slot]);
        write_version(&run, 0, version++);
    }
    CHECK(read_one(&run) && run.seen[0] == run.last[0]);
    CHECK(!read_one(&run));
    fw_latest_cells_destroy(run.marks);
}

int main(void) {
    test_each_dirty_slot_comes_once_with_its_latest_state_and_in_turn();
    test_no_state_is_torn_or_lost_between_two_threads();
    CHECK(!fw_latest_cells_create(0, 8) && !fw_latest_cells_create(8, 0));
}
