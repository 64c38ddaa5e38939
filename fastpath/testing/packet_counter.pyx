# cython: language_level=3
"""Counts the packets that many sockets receive, without the GIL, for load tests and benchmarks."""

import threading

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ..core cimport (
    fw_clock_us,
    fw_record_t,
    fw_ring_create,
    fw_ring_destroy,
    fw_ring_peek,
    fw_ring_pop,
    fw_ring_push,
    fw_ring_t,
    fw_wake_clear,
    fw_wake_create,
    fw_wake_signal,
)
from ..wire cimport FW_DATAGRAM_DTLS, FW_DATAGRAM_RTCP, FW_DATAGRAM_RTP, FW_DATAGRAM_STUN, fw_demux

cdef enum:
    MESSAGES = 64  # of one recvmmsg
    EVENTS = 256  # of one epoll_wait
    DATAGRAM_BYTES = 2048
    STREAMS = 8  # of one socket
    RING_BYTES = 1 << 22
    MEMINFO_DROPS = 8  # SK_MEMINFO_DROPS of linux/sock_diag.h
    RTP_HEADER_BYTES = 12

cdef extern from *:
    """
    #include <errno.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <unistd.h>
    """
    struct iovec:
        void *iov_base
        size_t iov_len

    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen

    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len

    ctypedef union epoll_data_t:
        uint32_t u32

    struct epoll_event:
        uint32_t events
        epoll_data_t data

    enum:
        EPOLLIN
        EPOLL_CLOEXEC
        EPOLL_CTL_ADD
        EPOLL_CTL_DEL
        MSG_DONTWAIT
        SOL_SOCKET
        SO_MEMINFO

    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout) nogil
    int getsockopt(int fd, int level, int name, void *value, unsigned int *len) nogil
    int epoll_create1(int flags) nogil
    int epoll_ctl(int epoll, int op, int fd, epoll_event *event) nogil
    int epoll_wait(int epoll, epoll_event *events, int count, int timeout_ms) nogil
    int close(int fd) nogil


cdef struct stream_t:
    uint64_t packets  # 0: the entry is free
    uint64_t breaks
    uint32_t ssrc
    uint16_t next_seq16


cdef struct tally_t:
    int fd
    bint keep
    uint64_t packets
    uint64_t bytes
    uint64_t rtp
    uint64_t rtcp
    uint64_t stun
    uint64_t dtls
    uint64_t unknown
    uint64_t first_rtp_us
    uint64_t first_marked_us
    uint64_t strays
    stream_t streams[STREAMS]


cdef struct counter_t:
    int epoll
    int wake_fd  # signals the thread to stop
    int events_fd  # signals Python to read
    bint stopping
    uint64_t lost
    uint32_t capacity
    uint32_t count
    tally_t *tallies
    fw_ring_t *kept
    mmsghdr headers[MESSAGES]
    iovec parts[MESSAGES]
    epoll_event events[EVENTS]
    uint8_t buffers[MESSAGES * DATAGRAM_BYTES]


cdef void count_rtp(tally_t *t, const uint8_t *data, size_t length, uint64_t now_us) noexcept nogil:
    cdef stream_t *stream
    cdef uint16_t seq16
    cdef uint32_t ssrc
    cdef int i
    t.rtp += 1
    if t.first_rtp_us == 0:
        t.first_rtp_us = now_us
    if t.first_marked_us == 0 and length > 1 and data[1] & 0x80:
        t.first_marked_us = now_us
    if length < RTP_HEADER_BYTES:
        t.strays += 1
        return
    seq16 = <uint16_t>(data[2] << 8 | data[3])
    ssrc = <uint32_t>data[8] << 24 | <uint32_t>data[9] << 16 | <uint32_t>data[10] << 8 | data[11]
    for i in range(STREAMS):
        stream = &t.streams[i]
        if stream.packets == 0:
            stream.ssrc = ssrc
            stream.next_seq16 = seq16
        if stream.ssrc == ssrc:
            stream.breaks += seq16 != stream.next_seq16
            stream.next_seq16 = <uint16_t>(seq16 + 1)
            stream.packets += 1
            return
    t.strays += 1


cdef bint count(tally_t *t, const uint8_t *data, size_t length, uint64_t now_us) noexcept nogil:
    """Counts one datagram. Returns true if Python gets it."""
    kind = fw_demux(data, length)
    t.packets += 1
    t.bytes += length
    if kind == FW_DATAGRAM_RTP:
        count_rtp(t, data, length, now_us)
        return t.keep
    if kind == FW_DATAGRAM_RTCP:
        t.rtcp += 1
        return t.keep
    if kind == FW_DATAGRAM_STUN:
        t.stun += 1
    elif kind == FW_DATAGRAM_DTLS:
        t.dtls += 1
    else:
        t.unknown += 1
    return True


cdef bint read_socket(counter_t *d, uint32_t index, uint64_t now_us) noexcept nogil:
    """Reads one socket until it is empty. Returns true if there is a datagram for Python."""
    cdef tally_t *t = &d.tallies[index]
    cdef bint tell = False
    cdef int received = MESSAGES
    cdef int i
    while received == MESSAGES:
        received = recvmmsg(t.fd, d.headers, MESSAGES, MSG_DONTWAIT, NULL)
        for i in range(received):
            data = d.buffers + i * DATAGRAM_BYTES
            length = d.headers[i].msg_len
            if not count(t, data, length, now_us):
                continue
            if fw_ring_push(d.kept, index, NULL, 0, data, length):
                tell = True
            else:
                d.lost += 1
    return tell


cdef void run(counter_t *d) noexcept nogil:
    cdef int ready, i
    cdef bint tell
    cdef uint64_t now_us
    while not d.stopping:
        ready = epoll_wait(d.epoll, d.events, EVENTS, -1)
        now_us = fw_clock_us()
        tell = False
        for i in range(ready):
            index = d.events[i].data.u32
            if index == d.capacity:
                d.stopping = True
            elif read_socket(d, index, now_us):
                tell = True
        if tell:
            fw_wake_signal(d.events_fd)


cdef class PacketCounter:
    """A thread that reads up to `capacity` sockets and counts their packets by kind and SSRC.

    Python gets the datagrams that are neither RTP nor RTCP, and all datagrams of sockets added with `keep`. All
    methods must be called on one Python thread.
    """

    cdef counter_t *d
    cdef list sockets
    cdef object thread

    def __cinit__(self, uint32_t capacity):
        cdef epoll_event event
        cdef int i
        self.sockets = []
        self.d = <counter_t *>calloc(1, sizeof(counter_t))
        if self.d == NULL:
            raise MemoryError
        self.d.capacity = capacity
        self.d.tallies = <tally_t *>calloc(capacity, sizeof(tally_t))
        self.d.kept = fw_ring_create(RING_BYTES)
        if self.d.tallies == NULL or self.d.kept == NULL:
            raise MemoryError
        self.d.epoll = epoll_create1(EPOLL_CLOEXEC)
        self.d.wake_fd = fw_wake_create()
        self.d.events_fd = fw_wake_create()
        event.events = EPOLLIN
        event.data.u32 = capacity
        if self.d.events_fd < 0 or epoll_ctl(self.d.epoll, EPOLL_CTL_ADD, self.d.wake_fd, &event) < 0:
            raise OSError("no file descriptor is left")
        for i in range(MESSAGES):
            self.d.parts[i].iov_base = self.d.buffers + i * DATAGRAM_BYTES
            self.d.parts[i].iov_len = DATAGRAM_BYTES
            self.d.headers[i].msg_hdr.msg_iov = &self.d.parts[i]
            self.d.headers[i].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        if self.d == NULL:
            return
        for fd in (self.d.epoll, self.d.wake_fd, self.d.events_fd):
            if fd > 0:
                close(fd)
        fw_ring_destroy(self.d.kept)
        free(self.d.tallies)
        free(self.d)

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, name="fanwire-counter", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Ends the thread and closes the sockets."""
        fw_wake_signal(self.d.wake_fd)
        self.thread.join()
        for sock in self.sockets:
            sock.close()

    def _run(self):
        with nogil:
            run(self.d)

    def add(self, sock, *, bint keep=False):
        """Takes ownership of this UDP socket and reads it from now on. Returns its number in this counter."""
        cdef epoll_event event
        cdef tally_t *t
        index = len(self.sockets)
        if index == self.d.capacity:
            raise ValueError(f"there is room for {index} sockets")
        t = &self.d.tallies[index]
        t.fd = sock.fileno()
        t.keep = keep
        event.events = EPOLLIN
        event.data.u32 = index
        if epoll_ctl(self.d.epoll, EPOLL_CTL_ADD, t.fd, &event) < 0:
            raise OSError("the socket cannot be waited for")
        self.sockets.append(sock)
        return index

    def rest(self, uint32_t index):
        """Stops reading this socket."""
        if epoll_ctl(self.d.epoll, EPOLL_CTL_DEL, self.sockets[index].fileno(), NULL) < 0:
            raise ValueError(f"socket {index} is not read")

    def fileno(self):
        """A file descriptor that is readable while datagrams are kept for Python."""
        return self.d.events_fd

    def read(self):
        """Returns the datagrams kept since the last call, each with the number of its socket."""
        cdef fw_record_t record
        datagrams = []
        fw_wake_clear(self.d.events_fd)
        while fw_ring_peek(self.d.kept, &record):
            datagrams.append((record.tag, record.data[:record.len]))
            fw_ring_pop(self.d.kept)
        return datagrams

    @property
    def lost(self):
        """Datagrams that were counted but not kept, because the buffer was full."""
        return self.d.lost

    def tally(self, uint32_t index):
        """Returns the tally of one socket so far."""
        cdef uint32_t meminfo[MEMINFO_DROPS + 1]
        cdef unsigned int size = sizeof(meminfo)
        cdef tally_t *t
        self.sockets[index]
        t = &self.d.tallies[index]
        memset(meminfo, 0, sizeof(meminfo))
        if getsockopt(t.fd, SOL_SOCKET, SO_MEMINFO, meminfo, &size) < 0:
            raise OSError("the socket does not tell what it dropped")
        return {
            "packets": t.packets,
            "bytes": t.bytes,
            "rtp": t.rtp,
            "rtcp": t.rtcp,
            "stun": t.stun,
            "dtls": t.dtls,
            "unknown": t.unknown,
            "overflow": meminfo[MEMINFO_DROPS],
            "strays": t.strays,
            "first_rtp_us": t.first_rtp_us,
            "first_marked_us": t.first_marked_us,
            "streams": {s.ssrc: (s.packets, s.breaks) for s in t.streams[:STREAMS] if s.packets > 0},
        }
