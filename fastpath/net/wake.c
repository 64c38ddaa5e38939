#include "wake.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int fw_wake_create(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* A full counter (EAGAIN) is as readable as can be, and so is an empty one cleared. */
void fw_wake_signal(int fd) {
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof(one));
    (void)written;
}

void fw_wake_clear(int fd) {
    uint64_t count;
    ssize_t taken = read(fd, &count, sizeof(count));
    (void)taken;
}

int fw_waker_open(fw_waker_t *waker) {
    atomic_init(&waker->armed, 0);
    waker->fd = fw_wake_create();
    return waker->fd < 0 ? waker->fd : 0;
}

void fw_waker_close(fw_waker_t *waker) {
    if (waker->fd >= 0)
        close(waker->fd);
    waker->fd = -1;
}

/* All three touch `armed` by read-modify-write only, so they have one order, and each sees whatever was done before
 * those ahead of it: a signal ahead of the arming shows its push to the sleeper's look at the queues. */
bool fw_waker_signal(fw_waker_t *waker) {
    if (!atomic_exchange_explicit(&waker->armed, 0, memory_order_acq_rel))
        return false;
    fw_wake_signal(waker->fd);
    return true;
}

void fw_waker_arm(fw_waker_t *waker) { atomic_exchange_explicit(&waker->armed, 1, memory_order_acq_rel); }

void fw_waker_disarm(fw_waker_t *waker, bool readable) {
    atomic_exchange_explicit(&waker->armed, 0, memory_order_acq_rel);
    if (readable)
        fw_wake_clear(waker->fd);
}

uint64_t fw_clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ppoll that goes on after a signal handler with what is left of the time. */
static int poll_until(struct pollfd *polled, size_t n, uint64_t timeout_us) {
    uint64_t start = fw_clock_us();
    uint64_t left = timeout_us;
    for (;;) {
        struct timespec wait = {.tv_sec = (time_t)(left / 1000000), .tv_nsec = (long)(left % 1000000) * 1000};
        int ready = ppoll(polled, n, timeout_us == FW_WAIT_FOREVER ? NULL : &wait, NULL);
        if (ready >= 0)
            return ready;
        if (errno != EINTR)
            return -errno;
        uint64_t spent = fw_clock_us() - start;
        left = spent < timeout_us ? timeout_us - spent : 0;
    }
}

int fw_wait(const int *fds, size_t n, uint64_t timeout_us, uint64_t *ready_mask) {
    struct pollfd polled[FW_WAIT_FDS];
    *ready_mask = 0;
    if (n > FW_WAIT_FDS)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    int ready = poll_until(polled, n, timeout_us);
    for (size_t i = 0; ready > 0 && i < n; i++)
        if (polled[i].revents)
            *ready_mask |= UINT64_C(1) << i;
    return ready;
}
