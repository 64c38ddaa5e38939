# cython: language_level=3, freethreading_compatible=False
"""The core without sockets, clock and threads, for scenario tests and benchmarks: time and bytes are arguments."""

import dataclasses
import ipaddress

import pylibsrtp._binding

from .. import backends, border
from ..messages import CheckPath, Path, Punt, ReadStatistics

from libc.stdint cimport UINT64_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ..core cimport *

NTP_1970 = 2_208_988_800
UNSPECIFIED = ("0.0.0.0", 0)  # where the core leaves the choice of its address to the kernel

load_crypto(pylibsrtp._binding.__file__)


@dataclasses.dataclass(frozen=True)
class Relayed:
    """A record of one core for another: a packet, a sender report or a keyframe request, as the core wrote it."""

    worker: int
    kind: int
    head: bytes
    body: bytes


cdef void on_send(void *context, const fw_udp_message_t *messages, size_t count) noexcept with gil:
    cdef Sandbox sandbox = <Sandbox>context
    if sandbox.core != NULL:
        sandbox.keep_sent(messages, count)


cdef fw_bool on_punt(void *context, uint64_t transport_id, const uint8_t *data, size_t len) noexcept with gil:
    (<Sandbox>context).punts.append(Punt(transport_id, data[:len]))
    return True


cdef fw_bool on_relay(
    void *context, uint32_t worker, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len
) noexcept with gil:
    (<Sandbox>context).relayed.append(Relayed(worker, kind, (<const uint8_t *>head)[:sizeof(fw_relay_head_t)], body[:len]))
    return True


cdef void on_changed(void *context, const fw_transport_change_t *change) noexcept with gil:
    cdef Sandbox sandbox = <Sandbox>context
    if sandbox.core != NULL:
        record = (<const uint8_t *>change)[:sizeof(fw_transport_change_t)]
        sandbox.changes.append(border.decode_change(record, sandbox.local_port))


cdef class Sandbox:
    """One worker's core. What it sends, punts, relays and reports is kept until it is taken.

    `now_us` is microseconds of the caller's clock, from 1, and never goes back. A round is any number of submit(),
    receive() and receive_relayed(), then one flush().
    """

    cdef fw_core_t *core
    cdef list sent, punts, relayed, changes, ports
    cdef dict paths  # by the bytes of fw_path_t: datagrams leave only on paths that others came by

    def __init__(self, *, uint32_t pool_packets=1024, uint32_t max_transports=4096, uint32_t max_ssrcs=64,
                 uint32_t instant_join_us=3_000_000, uint32_t coalesce_us=0, uint16_t max_gso_segments=128, uint64_t hash_seed=1):
        cdef fw_core_config_t config
        cdef fw_callbacks_t callbacks
        if self.core != NULL:
            raise RuntimeError("a sandbox is made once")
        memset(&config, 0, sizeof(config))
        config.pool_packets = pool_packets
        config.max_transports = max_transports
        config.max_ssrcs = max_ssrcs
        config.instant_join_us = instant_join_us
        config.coalesce_us = coalesce_us
        config.max_gso_segments = max_gso_segments
        config.ntp_at_zero = <uint64_t>NTP_1970 << 32  # as if `now_us` counted from 1970
        config.hash_seed = hash_seed
        memcpy(config.secret, &hash_seed, sizeof(hash_seed))
        callbacks.context = <void *>self
        callbacks.send = on_send
        callbacks.punt = on_punt
        callbacks.relay = on_relay
        callbacks.changed = on_changed
        self.sent, self.punts, self.relayed, self.changes, self.ports = [], [], [], [], []
        self.paths = {}
        use_backend(backends.chosen().name)
        self.core = fw_core_create(&config, &callbacks)
        if self.core == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef fw_core_t *core = self.core
        self.core = NULL  # so that the last goodbyes touch no Python object
        fw_core_destroy(core)

    cdef keep_sent(self, const fw_udp_message_t *messages, size_t count):
        cdef size_t i
        cdef uint32_t at
        cdef uint32_t segment
        for i in range(count):
            path = self.paths[(<const uint8_t *>&messages[i].path)[:sizeof(fw_path_t)]]
            segment = messages[i].segment or messages[i].len
            for at in range(0, messages[i].len, segment):
                self.sent.append((path, messages[i].data[at:min(at + segment, messages[i].len)]))

    cdef put_path(self, fw_path_t *out, path):
        remote = ipaddress.ip_address(path.remote[0])
        cdef bytes remote_ip = remote.packed
        cdef bytes local_ip = ipaddress.ip_address(path.local[0]).packed
        if path.local[1] not in self.ports:
            self.ports.append(path.local[1])
        memset(out, 0, sizeof(fw_path_t))
        memcpy(out.remote.ip, <const uint8_t *>remote_ip, len(remote_ip))
        memcpy(out.local_ip, <const uint8_t *>local_ip, len(local_ip))
        out.remote.port = path.remote[1]
        out.family = out.remote.family = remote.version
        out.socket = self.ports.index(path.local[1])
        self.paths[(<const uint8_t *>out)[:sizeof(fw_path_t)]] = path

    def local_port(self, uint8_t socket, port):
        return self.ports[socket]

    def submit(self, command, uint64_t now_us):
        cdef fw_result_t result
        cdef bytes head
        cdef bytes tail
        cdef fw_path_t path
        if isinstance(command, ReadStatistics):
            return self._read_statistics(command.transport)
        head, tail = border.encode(command, 0)
        if isinstance(command, CheckPath):
            path = (<const fw_command_t *><const uint8_t *>head).u.check.path
            self.paths[(<const uint8_t *>&path)[:sizeof(path)]] = Path(command.remote, UNSPECIFIED)
        result = fw_core_command(self.core, <const fw_command_t *><const uint8_t *>head, tail, len(tail), now_us)
        return border.decode_result((<const uint8_t *>&result)[:sizeof(result)])

    def _read_statistics(self, uint64_t transport):
        cdef fw_transport_stats_t *stats
        cdef fw_result_t result
        cdef size_t size = sizeof(fw_transport_stats_t)
        memset(&result, 0, sizeof(result))
        result.id = transport
        stats = <fw_transport_stats_t *>malloc(size + FW_STATS_STREAMS * sizeof(fw_stream_stats_t))
        if stats == NULL:
            raise MemoryError
        try:
            record = b""
            if fw_core_stats(self.core, transport, stats, <fw_stream_stats_t *>(stats + 1)):
                record = (<const uint8_t *>stats)[:size + stats.stream_count * sizeof(fw_stream_stats_t)]
            else:
                result.error = 1
            return border.decode_result((<const uint8_t *>&result)[:sizeof(result)] + record)
        finally:
            free(stats)

    def receive(self, path, bytes data, uint64_t now_us):
        cdef fw_path_t from_path
        cdef size_t length = len(data)
        cdef uint8_t *copy = <uint8_t *>malloc(length or 1)  # exactly as long: a sanitizer sees what reads beyond it
        if copy == NULL:
            raise MemoryError
        try:
            self.put_path(&from_path, path)
            memcpy(copy, <const uint8_t *>data, length)
            fw_core_receive(self.core, &from_path, copy, length, now_us)
        finally:
            free(copy)

    def receive_relayed(self, record, uint64_t now_us):
        cdef fw_relay_head_t head
        cdef bytes head_bytes = record.head
        cdef bytes body = record.body
        memcpy(&head, <const uint8_t *>head_bytes, sizeof(head))
        fw_core_relayed(self.core, record.kind, &head, body, len(body), now_us)

    def flush(self, uint64_t now_us):
        fw_core_flush(self.core, now_us)

    def note_round(self, uint64_t us):
        fw_core_note_round(self.core, us)

    def next_us(self):
        cdef uint64_t next_us = fw_core_next(self.core).due_us
        return None if next_us == UINT64_MAX else next_us

    def take_sent(self):
        taken, self.sent = self.sent, []
        return taken

    def take_punts(self):
        taken, self.punts = self.punts, []
        return taken

    def take_relayed(self):
        taken, self.relayed = self.relayed, []
        return taken

    def take_changes(self):
        taken, self.changes = self.changes, []
        return taken

    def counters(self):
        cdef const uint64_t *block = <const uint64_t *>&self.core.counters
        return {name: block[i] for i, name in enumerate(border.counter_names())}
