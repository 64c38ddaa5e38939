/* Wakers and waiting: no wake-up is lost, a busy peer costs no system call, a wait lasts as long as it should. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/ring.h"
#include "net/wake.h"
#include "net_check.h"

#define ROUNDS 10000u
#define RACES 200000u
#define TOO_LONG_US 20000000u /* a longer wait means a lost wake-up */

typedef struct {
    fw_waker_t waker;
    fw_ring_t *ring;
} inbox_t;

typedef struct {
    inbox_t here;
    inbox_t there;
    unsigned burst;    /* records sent before an answer is waited for */
    uint64_t syscalls; /* taken by one side's signals */
} link_t;

static void post(inbox_t *to, uint32_t tag, uint64_t *syscalls) {
    while (!fw_ring_push(to->ring, tag, NULL, 0, NULL, 0))
        ;
    *syscalls += fw_waker_signal(&to->waker);
}

/* Sleeps as wake.h prescribes until the record `tag` is there. */
static void await(inbox_t *inbox, uint32_t tag) {
    fw_record_t record;
    while (!fw_ring_peek(inbox->ring, &record)) {
        uint64_t ready;
        fw_waker_arm(&inbox->waker);
        uint64_t timeout = fw_ring_used_bytes(inbox->ring) ? 0 : TOO_LONG_US;
        int woken = fw_wait(&inbox->waker.fd, 1, timeout, &ready);
        fw_waker_disarm(&inbox->waker, ready & 1);
        CHECK(woken > 0 || timeout == 0);
    }
    CHECK(record.tag == tag);
    fw_ring_pop(inbox->ring);
}

static void *answer(void *argument) {
    link_t *link = argument;
    uint64_t syscalls = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < link->burst; i++)
            await(&link->there, round);
        post(&link->here, round, &syscalls);
    }
    return NULL;
}

static void *ask(void *argument) {
    link_t *link = argument;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < link->burst; i++)
            post(&link->there, round, &link->syscalls);
        await(&link->here, round);
    }
    return NULL;
}

static uint64_t run_link(unsigned burst) {
    link_t link = {.burst = burst};
    CHECK(fw_waker_open(&link.here.waker) == 0 && fw_waker_open(&link.there.waker) == 0);
    link.here.ring = fw_ring_create(4096);
    link.there.ring = fw_ring_create(4096);
    run_both(answer, ask, &link);
    fw_ring_destroy(link.here.ring);
    fw_ring_destroy(link.there.ring);
    fw_waker_close(&link.here.waker);
    fw_waker_close(&link.there.waker);
    return link.syscalls;
}

static void test_two_threads_that_wait_for_each_other_never_hang(void) {
    CHECK(run_link(1) <= ROUNDS);
    CHECK(run_link(16) < (uint64_t)ROUNDS * 16); /* a burst finds its peer awake at least now and then */
}

/* The race of push and sleep, repeated without sleeping: a push that the sleeper does not see signals it. */
typedef struct {
    fw_waker_t waker;
    _Atomic uint32_t pushed;
    _Atomic uint32_t at_start;
    _Atomic uint32_t at_end;
    uint32_t seen;
    bool signalled;
} race_t;

static void meet(_Atomic uint32_t *gate, uint32_t round) {
    atomic_fetch_add(gate, 1);
    for (int spins = 0; atomic_load(gate) < 2 * round; spins++)
        if (spins > 1000)
            sched_yield();
}

static void *push_and_signal(void *argument) {
    race_t *race = argument;
    for (uint32_t round = 1; round <= RACES; round++) {
        meet(&race->at_start, round);
        atomic_store_explicit(&race->pushed, round, memory_order_release);
        race->signalled = fw_waker_signal(&race->waker);
        meet(&race->at_end, round);
    }
    return NULL;
}

static void *arm_and_look(void *argument) {
    race_t *race = argument;
    for (uint32_t round = 1; round <= RACES; round++) {
        meet(&race->at_start, round);
        for (uint32_t delay = round % 64; delay; delay--)
            atomic_signal_fence(memory_order_seq_cst);
        fw_waker_arm(&race->waker);
        race->seen = atomic_load_explicit(&race->pushed, memory_order_acquire);
        meet(&race->at_end, round);
        CHECK(race->seen == round || race->signalled);
        fw_waker_disarm(&race->waker, race->signalled);
    }
    return NULL;
}

static void test_a_push_is_seen_after_arming_or_has_signalled(void) {
    static race_t race;
    CHECK(fw_waker_open(&race.waker) == 0);
    run_both(push_and_signal, arm_and_look, &race);
    fw_waker_close(&race.waker);
}

static void test_only_an_armed_waker_costs_a_system_call_and_only_once(void) {
    fw_waker_t waker;
    uint64_t ready;
    CHECK(fw_waker_open(&waker) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(!fw_waker_signal(&waker));
        fw_waker_arm(&waker);
        CHECK(fw_wait(&waker.fd, 1, 0, &ready) == 0 && ready == 0);
        CHECK(fw_waker_signal(&waker) && !fw_waker_signal(&waker));
        CHECK(fw_wait(&waker.fd, 1, FW_WAIT_FOREVER, &ready) == 1 && ready == 1);
        fw_waker_disarm(&waker, true);
    }
    fw_waker_close(&waker);
}

static void ignore(int number) { (void)number; }

static void test_a_wait_outlasts_signals_and_names_what_is_ready(void) {
    struct sigaction action = {.sa_handler = ignore};
    struct itimerval every_ms = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
    struct itimerval never = {0};
    sigaction(SIGALRM, &action, NULL);
    int fds[FW_WAIT_FDS];
    for (size_t i = 0; i < FW_WAIT_FDS; i++)
        CHECK((fds[i] = fw_wake_create()) >= 0);
    uint64_t ready = 1;
    setitimer(ITIMER_REAL, &every_ms, NULL);
    uint64_t start = fw_clock_us();
    CHECK(fw_wait(fds, FW_WAIT_FDS, 30000, &ready) == 0 && ready == 0);
    CHECK(fw_clock_us() - start >= 30000);
    setitimer(ITIMER_REAL, &never, NULL);

    fw_wake_signal(fds[5]);
    fw_wake_signal(fds[5]);
    fw_wake_signal(fds[63]);
    CHECK(fw_wait(fds, FW_WAIT_FDS, FW_WAIT_FOREVER, &ready) == 2 && ready == (UINT64_C(1) << 63 | 1 << 5));
    fw_wake_clear(fds[5]);
    fw_wake_clear(fds[6]); /* not signalled: no effect */
    CHECK(fw_wait(fds, FW_WAIT_FDS, 0, &ready) == 1 && ready == UINT64_C(1) << 63);
    CHECK(fw_wait(fds, FW_WAIT_FDS + 1, 0, &ready) == -EINVAL && ready == 0);
    for (size_t i = 0; i < FW_WAIT_FDS; i++)
        close(fds[i]);
}

int main(void) {
    test_only_an_armed_waker_costs_a_system_call_and_only_once();
    test_a_wait_outlasts_signals_and_names_what_is_ready();
    test_a_push_is_seen_after_arming_or_has_signalled();
    test_two_threads_that_wait_for_each_other_never_hang();
}
