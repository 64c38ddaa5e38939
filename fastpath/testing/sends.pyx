# cython: language_level=3
"""Copies packets for each subscriber and sends them, without any other work: the lower bound in bench/."""

import os

from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from ..core cimport *


cdef extern from "base/outbox.h" nogil:
    ctypedef struct fw_outbox_t:
        pass

    bint fw_outbox_init(
        fw_outbox_t *o, uint16_t max_segments, fw_outbox_send_t *sink, void *context, uint64_t *failed
    )
    void fw_outbox_free(fw_outbox_t *o)
    uint8_t *fw_outbox_begin(fw_outbox_t *o)
    void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, size_t len)
    void fw_outbox_flush(fw_outbox_t *o)


cdef struct sends_t:
    fw_udp_message_t *messages
    size_t count
    size_t *ends  # of each flush, in `messages`
    size_t flushes
    bint short_of_memory


cdef void on_prepared(void *context, const fw_udp_message_t *messages, size_t count) noexcept nogil:
    cdef sends_t *s = <sends_t *>context
    cdef void *grown = realloc(s.messages, (s.count + count) * sizeof(fw_udp_message_t))
    if grown != NULL:
        s.messages = <fw_udp_message_t *>grown
    cdef void *ends = realloc(s.ends, (s.flushes + 1) * sizeof(size_t))
    if ends != NULL:
        s.ends = <size_t *>ends
    if grown == NULL or ends == NULL:
        s.short_of_memory = True
        return
    memcpy(s.messages + s.count, messages, count * sizeof(fw_udp_message_t))
    s.count += count
    s.ends[s.flushes] = s.count
    s.flushes += 1


cdef class BareSends:
    """Sends `packets` to each of `peers`: prepared once, repeated by each call.

    Uses the worker's outbox: same order, same GSO runs, same size and reuse of the buffer, which is filled for each
    flush as every server must. `sock` is a bound, non-blocking IPv4 UDP socket; `peers` are (address in 4 bytes, port).
    """

    cdef sends_t s
    cdef fw_outbox_t outbox
    cdef uint64_t failed  # stays 0: nothing is protected here
    cdef fw_udp_counters_t udp
    cdef fw_udp_sender_t *sender
    cdef object sock
    cdef bytes matter  # all packets of one peer, concatenated

    def __cinit__(self):
        memset(&self.s, 0, sizeof(self.s))
        memset(&self.outbox, 0, sizeof(self.outbox))

    def __init__(self, sock, peers, packets):
        cdef fw_udp_options_t options
        cdef fw_udp_caps_t caps
        memset(&options, 0, sizeof(options))
        options.rcvbuf_bytes = options.sndbuf_bytes = 8 << 20
        options.gro = options.gso = True
        self.sock = sock
        error = fw_udp_setup(sock.fileno(), &options, &caps)
        if error < 0:
            raise OSError(-error, os.strerror(-error))
        self.sender = fw_udp_sender_create(&caps, 1, &self.udp)
        if self.sender == NULL or not fw_outbox_init(&self.outbox, caps.gso_max_segments, on_prepared, &self.s, &self.failed):
            raise MemoryError
        self.matter = b"".join(packets)
        for ip, port in peers:
            self._prepare(ip, port, packets)
        fw_outbox_flush(&self.outbox)
        if self.s.short_of_memory:
            raise MemoryError

    def __dealloc__(self):
        fw_outbox_free(&self.outbox)
        fw_udp_sender_destroy(self.sender)
        free(self.s.messages)
        free(self.s.ends)

    def _prepare(self, bytes ip, uint16_t port, packets):
        cdef fw_path_t path
        cdef bytes packet
        if len(ip) != 4:
            raise ValueError("an IPv4 address has 4 bytes")
        memset(&path, 0, sizeof(path))
        path.family = path.remote.family = 4
        path.remote.port = port
        memcpy(path.remote.ip, <const char *>ip, 4)
        path.local_ip[0], path.local_ip[3] = 127, 1
        for packet in packets:
            if len(packet) > 1500:
                raise ValueError("a packet is larger than 1500 bytes")
            memcpy(fw_outbox_begin(&self.outbox), <const char *>packet, len(packet))
            fw_outbox_add(&self.outbox, &path, len(packet))

    def send(self):
        """Sends everything once, without the GIL. Returns the packets that the kernel accepted."""
        cdef int fd = self.sock.fileno()
        cdef const uint8_t *matter = self.matter
        cdef size_t size = len(self.matter), at = 0
        cdef size_t flush, i, start = 0, sent = 0
        with nogil:
            for flush in range(self.s.flushes):
                for i in range(start, self.s.ends[flush]):
                    memcpy(<void *>self.s.messages[i].data, matter + at, self.s.messages[i].len)
                    at += self.s.messages[i].len
                    if at == size:
                        at = 0
                sent += fw_udp_send(&fd, 1, self.sender, self.s.messages + start, self.s.ends[flush] - start)
                start = self.s.ends[flush]
        return sent

    def counters(self):
        """Returns the counters of net/udp.h by name."""
        return named_counters(&self.udp, fw_udp_counter_names, FW_UDP_COUNTER_COUNT)
