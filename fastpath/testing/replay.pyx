# cython: language_level=3
"""Sends prepared datagrams, each at its due time, without the GIL: the load of bench/."""

import os
import threading

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ..core cimport (
    FW_UDP_COUNTER_COUNT,
    fw_path_t,
    fw_udp_caps_t,
    fw_udp_counter_names,
    fw_udp_counters_t,
    fw_udp_message_t,
    fw_udp_options_t,
    fw_udp_send,
    fw_udp_sender_create,
    fw_udp_sender_destroy,
    fw_udp_sender_t,
    fw_udp_setup,
    named_counters,
)

cdef enum:
    BATCH = 64  # datagrams a system call, at most
    NS = 1000000000

cdef extern from "<time.h>" nogil:
    struct timespec:
        int64_t tv_sec
        int64_t tv_nsec

    enum:
        CLOCK_MONOTONIC
        CLOCK_REALTIME
        TIMER_ABSTIME

    int clock_gettime(int clock, timespec *out)
    int clock_nanosleep(int clock, int flags, const timespec *until, timespec *left)


cdef struct replay_t:
    size_t count
    fw_udp_message_t *messages  # in the order of `due_ns`
    uint64_t *due_ns  # from the start
    uint64_t *sent_ns  # CLOCK_REALTIME before the system call; 0: not sent


cdef uint64_t clock_ns(int clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <uint64_t>now.tv_sec * NS + <uint64_t>now.tv_nsec


cdef void sleep_until(uint64_t ns) noexcept nogil:
    cdef timespec until
    until.tv_sec = <int64_t>(ns // NS)
    until.tv_nsec = <int64_t>(ns % NS)
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)


cdef void run(replay_t *r, int fd, fw_udp_sender_t *sender) noexcept nogil:
    cdef uint64_t start = clock_ns(CLOCK_MONOTONIC)
    cdef uint64_t now, wall
    cdef size_t first = 0, end
    while first < r.count:
        now = clock_ns(CLOCK_MONOTONIC) - start
        if r.due_ns[first] > now:
            sleep_until(start + r.due_ns[first])
            continue
        wall = clock_ns(CLOCK_REALTIME)
        end = first
        while end < r.count and end < first + BATCH and r.due_ns[end] <= now:
            r.sent_ns[end] = wall
            end += 1
        fw_udp_send(&fd, 1, sender, r.messages + first, end - first)
        first = end


cdef class Replay:
    """`datagrams` are (due in us from the start, source IPv4 address in 4 bytes, bytes), in order of time, all to `to`.

    `sock` is a bound, non-blocking IPv4 UDP socket. One bound to 0.0.0.0 can send from every address of 127/8, so one
    socket simulates many peers with the same port.
    """

    cdef replay_t r
    cdef fw_udp_counters_t udp
    cdef fw_udp_sender_t *sender
    cdef object sock
    cdef object data  # owns the bytes of the messages
    cdef object thread

    def __cinit__(self):
        memset(&self.r, 0, sizeof(self.r))

    def __init__(self, sock, to, datagrams):
        cdef fw_udp_options_t options
        cdef fw_udp_caps_t caps
        memset(&options, 0, sizeof(options))
        options.sndbuf_bytes = 8 << 20
        error = fw_udp_setup(sock.fileno(), &options, &caps)
        if error < 0:
            raise OSError(-error, os.strerror(-error))
        self.sock = sock
        self.sender = fw_udp_sender_create(&caps, 1, &self.udp)
        self.r.count = len(datagrams)
        self.r.messages = <fw_udp_message_t *>calloc(self.r.count + 1, sizeof(fw_udp_message_t))
        self.r.due_ns = <uint64_t *>calloc(self.r.count + 1, sizeof(uint64_t))
        self.r.sent_ns = <uint64_t *>calloc(self.r.count + 1, sizeof(uint64_t))
        if self.sender == NULL or self.r.messages == NULL or self.r.due_ns == NULL or self.r.sent_ns == NULL:
            raise MemoryError
        self._prepare(to, datagrams)

    def _prepare(self, to, datagrams):
        cdef fw_path_t path
        cdef fw_udp_message_t *message
        cdef const uint8_t *data
        cdef const uint8_t *source
        self.data = b"".join([datagram for _, _, datagram in datagrams])
        data = self.data
        memset(&path, 0, sizeof(path))
        path.family = path.remote.family = 4
        host, path.remote.port = to
        for i, part in enumerate(host.split(".")):
            path.remote.ip[i] = int(part)
        for i, (due_us, address, datagram) in enumerate(datagrams):
            if len(address) != 4:
                raise ValueError("an IPv4 address has 4 bytes")
            source = address
            message = &self.r.messages[i]
            message.path = path
            memcpy(message.path.local_ip, source, 4)
            message.data = data
            message.len = len(datagram)
            data += message.len
            self.r.due_ns[i] = <uint64_t>due_us * 1000

    def __dealloc__(self):
        fw_udp_sender_destroy(self.sender)
        free(self.r.messages)
        free(self.r.due_ns)
        free(self.r.sent_ns)

    def start(self):
        """Starts sending on a thread of its own."""
        self.thread = threading.Thread(target=self._run, name="fanwire-replay", daemon=True)
        self.thread.start()

    def _run(self):
        cdef int fd = self.sock.fileno()
        with nogil:
            run(&self.r, fd, self.sender)

    def join(self):
        """Waits until all datagrams are sent. Returns the send time of each, CLOCK_REALTIME in ns."""
        self.thread.join()
        return [self.r.sent_ns[i] for i in range(self.r.count)]

    def counters(self):
        """Returns the counters of net/udp.h by name."""
        return named_counters(&self.udp, fw_udp_counter_names, FW_UDP_COUNTER_COUNT)
