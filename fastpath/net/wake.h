/* Waiting for sockets and waking another thread that waits: eventfd, ppoll and the monotonic clock.
 *
 * A waker saves the system call where the peer is awake anyway. The sleeper, whose queues others fill:
 *     fw_waker_arm(w); timeout = queues are empty ? until the deadline : 0;
 *     fw_wait(fds with w->fd, ..., &ready); fw_waker_disarm(w, w->fd is in ready); drain the queues;
 * and everyone else: push, then fw_waker_signal(w). Looking at the queues after arming is what loses no wake-up:
 * a push whose signal came before the arming is seen there, one whose signal comes after it writes the eventfd.
 */
#ifndef FW_NET_WAKE_H
#define FW_NET_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_WAIT_FOREVER UINT64_MAX
#define FW_WAIT_FDS 64

/* A non-blocking, close-on-exec eventfd, or -errno. */
int fw_wake_create(void);

/* Makes `fd` readable. Any thread. */
void fw_wake_signal(int fd);

/* Makes `fd` unreadable until the next signal. */
void fw_wake_clear(int fd);

typedef struct {
    int fd;                 /* the eventfd to wait on */
    _Atomic uint32_t armed; /* 1 while the sleeper wants the eventfd written */
} fw_waker_t;

/* Opens a waker, not armed. Returns 0 or -errno. */
int fw_waker_open(fw_waker_t *waker);
void fw_waker_close(fw_waker_t *waker);

/* Any thread, after its push: wakes the sleeper if that has armed. Returns whether that took a system call. */
bool fw_waker_signal(fw_waker_t *waker);

/* Sleeper: from here on a signal makes `waker->fd` readable. Look at the queues once more before sleeping. */
void fw_waker_arm(fw_waker_t *waker);

/* Sleeper, awake again: signals cost nothing from here on. `readable`: whether the wait found `waker->fd` ready. */
void fw_waker_disarm(fw_waker_t *waker, bool readable);

/* Waits until one of the `n` <= FW_WAIT_FDS descriptors can be read (or has failed), or `timeout_us` is over; signals
 * do not cut it short. Bit i of `ready_mask` is fds[i]. Returns the number of bits set, 0 on timeout, or -errno. */
int fw_wait(const int *fds, size_t n, uint64_t timeout_us, uint64_t *ready_mask);

/* CLOCK_MONOTONIC in microseconds. */
uint64_t fw_clock_us(void);

#endif
