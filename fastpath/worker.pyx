# cython: language_level=3, freethreading_compatible=False
"""The compiled loop: one worker's thread, its sockets, its clock and its rings, around the core in core/."""

import os
import threading
import time

import pylibsrtp._binding

from . import backends, border
from .messages import CoreConfig, Latency, Punt

from libc.stdint cimport UINT64_MAX
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.unistd cimport close

from .core cimport *
from .crypto cimport *

load_crypto(pylibsrtp._binding.__file__)

cdef enum:
    MAX_WORKERS = 64
    RECEIVE_MESSAGES = 16
    RECEIVE_TOGETHER = 32
    ROUND_DATAGRAMS = 256  # received from one source in a round, at most
    RING_BYTES = 1 << 20
    INBOX_BYTES = 1 << 22  # from one worker to another: about 3000 packets
    PORT_BUFFER_BYTES = 1 << 18  # receive buffer of one client: a full one drops packets, which are then requested again
    RESULT_ROOM = 1 << 16  # of the largest result, and the end of the ring that it may skip
    TAG_COMMAND = 1
    TAG_STOP = 2
    TCP_PER_ADDRESS = 256  # viewers may share a NAT, and each connects to several candidates
    TCP_QUEUE_BYTES = 1 << 18


cdef struct worker_t:
    uint32_t index
    fw_core_t *core
    fw_udp_batch_t *batch
    fw_udp_sender_t *sender
    fw_udp_counters_t udp
    int fds[FW_UDP_SOCKETS]
    size_t fd_count
    fw_tcp_t *tcp
    fw_tcp_counters_t tcp_counters
    fw_ports_t *ports  # NULL where the worker has no ports of its own
    uint64_t now_us  # of this round
    fw_ring_t *commands  # from Python
    fw_ring_t *results  # to Python, never lost
    fw_ring_t *datagrams  # to Python; a full ring drops and counts them
    fw_latest_cells_t *changes  # to Python, the latest state of each transport
    fw_waker_t waker
    int events_fd
    fw_ring_t *inboxes[MAX_WORKERS]  # from each other worker
    worker_t *peers[MAX_WORKERS]
    uint64_t relayed_to  # bit i: worker i was sent records in this round
    bint tell  # events have been queued for Python in this round
    bint stopping
    uint64_t rounds
    fw_histogram_t latency  # of RTP in us, from the arrival of the first packet of a batch to its send call
    uint64_t rtp_out  # RTP packets that `latency` counts


ctypedef enum carrier_t:
    UDP
    TCP
    OWN_PORT


cdef inline carrier_t carrier_of(const fw_path_t *path) noexcept nogil:
    if path.serial == 0:
        return UDP
    return TCP if path.stream != 0 else OWN_PORT


cdef void on_send(void *context, const fw_udp_message_t *messages, size_t count) noexcept nogil:
    cdef worker_t *w = <worker_t *>context
    cdef size_t start = 0
    cdef size_t end
    cdef carrier_t carrier
    while start < count:
        carrier = carrier_of(&messages[start].path)
        end = start + 1
        while end < count and carrier_of(&messages[end].path) == carrier:
            end += 1
        if carrier == TCP:
            fw_tcp_send(w.tcp, messages + start, end - start)
        elif carrier == OWN_PORT and w.ports != NULL:
            fw_ports_send(w.ports, messages + start, end - start)
        else:
            fw_udp_send(w.fds, w.fd_count, w.sender, messages + start, end - start)
        start = end
    if w.core.counters.rtp_out != w.rtp_out:
        fw_histogram_add(&w.latency, fw_clock_us() - (w.core.batch_us or w.now_us), w.core.counters.rtp_out - w.rtp_out)
        w.rtp_out = w.core.counters.rtp_out


cdef void on_frame(void *context, const fw_path_t *path, uint8_t *data, size_t len) noexcept nogil:
    cdef worker_t *w = <worker_t *>context
    fw_core_receive(w.core, path, data, len, w.now_us)


cdef fw_bool is_path_used(void *context, const fw_path_t *path) noexcept nogil:
    return fw_core_knows((<worker_t *>context).core, path)


cdef fw_bool on_punt(void *context, uint64_t transport_id, const uint8_t *data, size_t len) noexcept nogil:
    cdef worker_t *w = <worker_t *>context
    w.tell = True
    return fw_ring_push(w.datagrams, 0, &transport_id, sizeof(transport_id), data, <uint32_t>len)


cdef fw_bool on_relay(
    void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len
) noexcept nogil:
    cdef worker_t *w = <worker_t *>context
    if worker >= MAX_WORKERS or w.peers[worker] == NULL:
        return False
    w.relayed_to |= <uint64_t>1 << worker
    return fw_ring_push(w.peers[worker].inboxes[w.index], <uint32_t>kind, head, sizeof(fw_relay_head_t), body, <uint32_t>len)


cdef void on_changed(void *context, const fw_transport_change_t *change) noexcept nogil:
    cdef worker_t *w = <worker_t *>context
    fw_latest_cells_set(w.changes, fw_slot_of(change.transport), change)
    w.tell = True


cdef void read_statistics(worker_t *w, const fw_command_t *command) noexcept nogil:
    cdef fw_statistics_t statistics
    cdef size_t size
    cdef fw_result_t result = fw_statistics_read(w.core, command, &statistics, &size)
    fw_ring_push(w.results, 0, &result, sizeof(result), &statistics, <uint32_t>size)


cdef void drain_commands(worker_t *w, uint64_t now_us) noexcept nogil:
    cdef fw_record_t record
    cdef const fw_command_t *command
    cdef fw_result_t result
    while fw_ring_used_bytes(w.results) + RESULT_ROOM < RING_BYTES and fw_ring_peek(w.commands, &record):
        command = <const fw_command_t *>record.data
        if record.tag == TAG_STOP:
            w.stopping = True
        elif command.kind == FW_READ_STATISTICS:
            read_statistics(w, command)
            w.tell = True
        else:
            result = fw_core_command(
                w.core, command, record.data + sizeof(fw_command_t), record.len - sizeof(fw_command_t), now_us
            )
            if fw_command_is_answered(command):
                fw_ring_push(w.results, 0, &result, sizeof(result), NULL, 0)
                w.tell = True
        fw_ring_pop(w.commands)


cdef void drain_inboxes(worker_t *w, uint64_t now_us) noexcept nogil:
    cdef fw_record_t record
    cdef int i
    cdef int taken
    for i in range(MAX_WORKERS):
        if w.inboxes[i] == NULL:
            continue
        taken = 0
        while taken < ROUND_DATAGRAMS and fw_ring_peek(w.inboxes[i], &record):
            fw_core_relayed(
                w.core,
                <fw_relay_kind_t>record.tag,
                <const fw_relay_head_t *>record.data,
                record.data + sizeof(fw_relay_head_t),
                record.len - sizeof(fw_relay_head_t),
                now_us,
            )
            fw_ring_pop(w.inboxes[i])
            taken += 1


cdef void receive(worker_t *w, uint64_t ready, uint64_t now_us) noexcept nogil:
    cdef fw_udp_datagram_t datagrams[RECEIVE_TOGETHER]
    cdef int i
    cdef int messages, taken, count
    for i in range(<int>w.fd_count):
        taken = 0
        messages = RECEIVE_MESSAGES if ready >> i & 1 else 0
        while messages == RECEIVE_MESSAGES and taken < ROUND_DATAGRAMS:
            messages = fw_udp_receive(w.fds[i], <uint32_t>i, w.batch)
            if messages <= 0:
                break
            count = RECEIVE_TOGETHER
            while count == RECEIVE_TOGETHER:
                count = 0
                while count < RECEIVE_TOGETHER and fw_udp_next(w.batch, &datagrams[count]):
                    count += 1
                fw_core_receive_all(w.core, datagrams, count, now_us)
                taken += count


cdef bint has_work(worker_t *w) noexcept nogil:
    cdef int i
    if fw_ring_used_bytes(w.commands) > 0 and fw_ring_used_bytes(w.results) + RESULT_ROOM < RING_BYTES:
        return True
    for i in range(MAX_WORKERS):
        if w.inboxes[i] != NULL and fw_ring_used_bytes(w.inboxes[i]) > 0:
            return True
    return False


cdef void wake_peers(worker_t *w) noexcept nogil:
    cdef int i
    for i in range(MAX_WORKERS):
        if w.relayed_to >> i & 1:
            fw_waker_signal(&w.peers[i].waker)
    w.relayed_to = 0


cdef uint64_t time_to_sleep(worker_t *w) noexcept nogil:
    cdef uint64_t next_us, now_us
    if has_work(w):
        return 0
    next_us = min(fw_core_next(w.core).due_us, fw_tcp_next_us(w.tcp))
    if next_us == UINT64_MAX:
        return UINT64_MAX
    now_us = fw_clock_us()
    return next_us - now_us if next_us > now_us else 0


cdef void run(worker_t *w) noexcept nogil:
    cdef int fds[FW_WAIT_FDS]
    cdef uint64_t ready, now_us
    cdef size_t i, waited
    for i in range(w.fd_count):
        fds[i] = w.fds[i]
    fds[w.fd_count] = w.waker.fd
    fds[w.fd_count + 1] = fw_tcp_fd(w.tcp)
    waited = w.fd_count + 2
    if w.ports != NULL:
        fds[waited] = fw_ports_fd(w.ports)
        waited += 1
    while not w.stopping:
        fw_waker_arm(&w.waker)
        ready = 0
        fw_wait(fds, waited, time_to_sleep(w), &ready)
        fw_waker_disarm(&w.waker, ready >> w.fd_count & 1)
        w.now_us = now_us = fw_clock_us()
        drain_inboxes(w, now_us)  # first: a relayed producer gets its history before its consumers are added
        drain_commands(w, now_us)
        receive(w, ready, now_us)
        if ready >> (w.fd_count + 1) & 1:
            fw_tcp_poll(w.tcp, now_us)
        if ready >> (w.fd_count + 2) & 1:
            fw_ports_receive(w.ports, on_frame, w)
        fw_tcp_tick(w.tcp, now_us)
        fw_core_flush(w.core, now_us)
        fw_core_note_round(w.core, fw_clock_us() - now_us)
        wake_peers(w)
        w.rounds += 1
        if w.tell:
            w.tell = False
            fw_wake_signal(w.events_fd)


cdef class Worker:
    """One thread that forwards media, with sockets of its own.

    `sockets` are bound, non-blocking UDP sockets, `listeners` such TCP sockets, and `ports` UDP sockets from which it calls
    servers, one for each transport; this worker owns them all from here on and closes them; it holds up to `tcp_connections` (1-65535) connections, and one that no transport uses for
    `tcp_lease_us`. All methods are for one thread of Python, which reads events whenever `fileno()` is readable.
    """

    cdef worker_t w
    cdef list sockets
    cdef list ports
    cdef object thread
    cdef readonly list capabilities
    cdef uint32_t next_ticket

    def __cinit__(self):
        memset(&self.w, 0, sizeof(self.w))
        self.w.events_fd = -1
        self.w.waker.fd = -1

    def __init__(
        self,
        int index,
        sockets,
        listeners=(),
        *,
        ports=(),
        config=None,
        int tcp_connections=4096,
        int tcp_lease_us=10_000_000,
    ):
        cdef fw_udp_options_t options
        cdef fw_udp_caps_t caps[FW_UDP_SOCKETS]
        self.sockets = [*sockets, *listeners]  # in the order of a path's `socket`
        self.ports = list(ports)
        self.capabilities = []
        if not 1 <= len(sockets) < FW_UDP_SOCKETS - 2 or not 0 <= index < MAX_WORKERS:
            raise ValueError(f"a worker has 1 to {FW_UDP_SOCKETS - 3} sockets and an index below {MAX_WORKERS}")
        if not 1 <= tcp_connections <= 0xFFFF:
            raise ValueError("a worker holds 1 to 65535 TCP connections")
        memset(&options, 0, sizeof(options))
        options.rcvbuf_bytes = options.sndbuf_bytes = 8 << 20
        options.gro = options.gso = True
        self.w.index = index
        self.w.fd_count = len(sockets)
        segments = 128
        for i, sock in enumerate(sockets):
            self.w.fds[i] = sock.fileno()
            error = fw_udp_setup(self.w.fds[i], &options, &caps[i])
            if error < 0:
                raise OSError(-error, os.strerror(-error))
            segments = min(segments, caps[i].gso_max_segments)
            self.capabilities.append({
                "address": sock.getsockname()[:2],
                "receive_buffer_bytes": caps[i].rcvbuf_bytes,
                "send_buffer_bytes": caps[i].sndbuf_bytes,
                "gso_max_segments": caps[i].gso_max_segments,
                "gro": bool(caps[i].gro),
                "gso": bool(caps[i].gso),
            })
        self._allocate(config, segments)
        self.w.sender = fw_udp_sender_create(caps, self.w.fd_count, &self.w.udp)
        if self.w.sender == NULL:
            raise MemoryError
        self._listen(listeners, tcp_connections, tcp_lease_us)
        self._open_ports()

    def _listen(self, listeners, tcp_connections, tcp_lease_us):
        cdef fw_tcp_limits_t limits
        cdef fw_tcp_owner_t owner
        limits.connections = tcp_connections
        limits.per_address = TCP_PER_ADDRESS
        limits.queue_bytes = TCP_QUEUE_BYTES
        limits.lease_us = tcp_lease_us
        limits.hash_seed = int.from_bytes(os.urandom(8), "little")
        owner.context = &self.w
        owner.receive = on_frame
        owner.in_use = is_path_used
        self.w.tcp = fw_tcp_create(&limits, &owner, &self.w.tcp_counters)
        if self.w.tcp == NULL:
            raise MemoryError
        for i, sock in enumerate(listeners):
            error = fw_tcp_listen(self.w.tcp, sock.fileno(), self.w.fd_count + i)
            if error < 0:
                raise OSError(-error, os.strerror(-error))

    def _open_ports(self):
        cdef fw_udp_options_t options
        cdef fw_udp_caps_t caps
        cdef int *fds
        if not self.ports:
            return
        memset(&options, 0, sizeof(options))
        options.rcvbuf_bytes = PORT_BUFFER_BYTES
        options.gro = True
        fds = <int *>calloc(len(self.ports), sizeof(int))
        if fds == NULL:
            raise MemoryError
        try:
            for i, sock in enumerate(self.ports):
                fds[i] = sock.fileno()
                error = fw_udp_setup(fds[i], &options, &caps)
                if error < 0:
                    raise OSError(-error, os.strerror(-error))
            self.w.ports = fw_ports_create(fds, <uint32_t>len(self.ports), &self.w.udp)
        finally:
            free(fds)
        if self.w.ports == NULL:
            raise MemoryError

    def _allocate(self, wanted, uint16_t segments):
        cdef fw_core_config_t config
        cdef fw_callbacks_t callbacks
        cdef bytes packed = border.encode_config(wanted or CoreConfig())
        memcpy(&config, <const char *>packed, sizeof(config))
        config.pool_packets = max(config.pool_packets, 16 * ROUND_DATAGRAMS)
        config.max_gso_segments = min(config.max_gso_segments, segments)
        callbacks.context = &self.w
        callbacks.send = on_send
        callbacks.punt = on_punt
        callbacks.relay = on_relay
        callbacks.changed = on_changed
        use_backend(backends.chosen().name)
        self.w.core = fw_core_create(&config, &callbacks)
        self.w.batch = fw_udp_batch_create(RECEIVE_MESSAGES, FW_UDP_SOCKETS, &self.w.udp)
        self.w.commands = fw_ring_create(RING_BYTES)
        self.w.results = fw_ring_create(RING_BYTES)
        self.w.datagrams = fw_ring_create(RING_BYTES)
        self.w.changes = fw_latest_cells_create(config.max_transports, sizeof(fw_transport_change_t))
        self.w.events_fd = fw_wake_create()
        if (
            self.w.core == NULL
            or self.w.batch == NULL
            or self.w.commands == NULL
            or self.w.results == NULL
            or self.w.datagrams == NULL
            or self.w.changes == NULL
        ):
            raise MemoryError
        if self.w.events_fd < 0 or fw_waker_open(&self.w.waker) < 0:
            raise OSError("no file descriptor is left for the worker's events")

    def __dealloc__(self):
        fw_core_destroy(self.w.core)
        fw_udp_batch_destroy(self.w.batch)
        fw_udp_sender_destroy(self.w.sender)
        fw_tcp_destroy(self.w.tcp)
        fw_ports_destroy(self.w.ports)
        fw_ring_destroy(self.w.commands)
        fw_ring_destroy(self.w.results)
        fw_ring_destroy(self.w.datagrams)
        fw_latest_cells_destroy(self.w.changes)
        for i in range(MAX_WORKERS):
            fw_ring_destroy(self.w.inboxes[i])
        if self.w.waker.fd >= 0:
            fw_waker_close(&self.w.waker)
        if self.w.events_fd >= 0:
            close(self.w.events_fd)

    def connect(self, Worker other):
        """Lets this worker and `other` relay packets to each other. Before either is started."""
        if self.thread is not None or other.thread is not None:
            raise RuntimeError("workers are connected before they are started")
        self.w.inboxes[other.w.index] = fw_ring_create(INBOX_BYTES)
        other.w.inboxes[self.w.index] = fw_ring_create(INBOX_BYTES)
        if self.w.inboxes[other.w.index] == NULL or other.w.inboxes[self.w.index] == NULL:
            raise MemoryError
        self.w.peers[other.w.index] = &other.w
        other.w.peers[self.w.index] = &self.w

    def start(self):
        """Starts the thread."""
        self.thread = threading.Thread(target=self._run, name=f"fanwire-worker-{self.w.index}", daemon=True)
        self.thread.start()

    def _run(self):
        with nogil:
            run(&self.w)

    def stop(self):
        """Ends the thread: sends RTCP BYE, closes sockets and connections. All workers that are connected to this one must be
        stopped as well."""
        if self.thread is not None:
            while not fw_ring_push(self.w.commands, TAG_STOP, NULL, 0, NULL, 0):
                self.read_events()
                time.sleep(0.001)
            fw_waker_signal(&self.w.waker)
            while self.thread.is_alive():
                self.read_events()  # the worker waits while the ring of results is full
                self.thread.join(0.02)
            self.thread = None
        self.w.fd_count = 0  # the system may give the same numbers to other files
        if self.w.tcp != NULL:
            fw_tcp_shut(self.w.tcp)
        fw_ports_destroy(self.w.ports)
        self.w.ports = NULL
        for sock in (*self.sockets, *self.ports):
            sock.close()
        self.sockets, self.ports = [], []

    def fileno(self):
        """Readable when there are events."""
        return self.w.events_fd

    def submit(self, command, *, bint wake=True):
        """Queues a command for the next round and returns its ticket. Raises BlockingIOError where the ring is full.

        With `wake=False` a sleeping worker learns of it when `wake` is called, or something else happens.
        """
        cdef const uint8_t[::1] head
        cdef const char *body
        self.next_ticket += 1
        ticket = self.next_ticket
        encoded, tail = border.encode(command, ticket)
        head = encoded
        body = tail
        if not fw_ring_push(self.w.commands, TAG_COMMAND, &head[0], <uint32_t>head.shape[0], body, <uint32_t>len(tail)):
            raise BlockingIOError("the worker has too many commands queued")
        if wake:
            self.wake()
        return ticket

    def wake(self):
        """Wakes the worker for its commands, if it sleeps."""
        fw_waker_signal(&self.w.waker)

    def read_events(self):
        """The events since the last call: results, changes of transports, then punted datagrams."""
        cdef fw_record_t record
        cdef fw_transport_change_t change
        cdef uint32_t slot
        cdef bint waiting
        events = []
        fw_wake_clear(self.w.events_fd)
        waiting = fw_ring_used_bytes(self.w.commands) > 0
        while fw_ring_peek(self.w.results, &record):
            events.append(border.decode_result(record.data[:record.len]))
            fw_ring_pop(self.w.results)
        while fw_latest_cells_next(self.w.changes, &slot, &change):
            events.append(border.decode_change((<const uint8_t *>&change)[:sizeof(change)], self._local_port))
        while fw_ring_peek(self.w.datagrams, &record):
            events.append(Punt((<const uint64_t *>record.data)[0], record.data[sizeof(uint64_t):record.len]))
            fw_ring_pop(self.w.datagrams)
        if waiting:  # the ring of results may have been full
            fw_waker_signal(&self.w.waker)
        return events

    def _local_port(self, index, port):
        sockets, place = (self.ports, port - 1) if port else (self.sockets, index)
        return sockets[place].getsockname()[1] if place < len(sockets) else 0

    def counters(self):
        """Every counter by name; those of drops begin with drop_."""
        found = named_counters(&self.w.core.counters, fw_counter_names, FW_COUNTER_COUNT)
        udp = named_counters(&self.w.udp, fw_udp_counter_names, FW_UDP_COUNTER_COUNT)
        tcp = named_counters(&self.w.tcp_counters, fw_tcp_counter_names, FW_TCP_COUNTER_COUNT)
        found.update({f"udp_{name}": value for name, value in udp.items()})
        for name, value in tcp.items():
            found[f"drop_tcp_{name[5:]}" if name.startswith("drop_") else f"tcp_{name}"] = value
        found["rounds"] = self.w.rounds
        return found

    def latency(self):
        """The time that forwarded packets spent in the worker."""
        bounds = tuple([fw_histogram_bound(i) for i in range(FW_HISTOGRAM_BUCKETS - 1)])
        return Latency(bounds, tuple(self.w.latency.counts), self.w.latency.sum)
