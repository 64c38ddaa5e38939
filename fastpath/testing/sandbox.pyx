# cython: language_level=3, freethreading_compatible=False
"""The core without sockets, clock and threads, for scenario tests and benchmarks: time and bytes are arguments."""

import dataclasses
import ipaddress

import pylibsrtp._binding

from .. import backends, border
from ..messages import CheckPath, CoreConfig, Path, Punt, ReadStatistics

from libc.stdint cimport UINT64_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ..core cimport *
from ..crypto cimport *

NTP_1970 = 2_208_988_800
UNSPECIFIED = ("0.0.0.0", 0)  # the kernel chooses the local address

DEFAULTS = {
    "pool_packets": 1024,
    "max_transports": 4096,
    "ntp_at_zero": NTP_1970 << 32,  # as if `now_us` counted from 1970
    "hash_seed": 1,
    "secret": b"\1",
}

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
    """One worker's core. Keeps its datagrams, punts, relayed records and reports until they are taken.

    `now_us` is microseconds of the caller's clock, from 1, and never goes back. A round is any number of submit(),
    receive() and receive_relayed(), then one flush().
    """

    cdef fw_core_t *core
    cdef list sent, punts, relayed, changes, ports
    cdef dict paths  # by the bytes of fw_path_t: datagrams leave only on paths that others came by

    def __init__(self, **options):
        cdef fw_core_config_t config
        cdef bytes packed = border.encode_config(CoreConfig(**DEFAULTS | options))
        cdef fw_callbacks_t callbacks
        if self.core != NULL:
            raise RuntimeError("a sandbox is made once")
        memcpy(&config, <const char *>packed, sizeof(config))
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
        self.core = NULL  # the last RTCP BYEs then touch no Python object
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

    cdef put_remote(self, fw_path_t *out, remote):
        address = ipaddress.ip_address(remote[0])
        cdef bytes ip = address.packed
        memset(out, 0, sizeof(fw_path_t))
        memcpy(out.remote.ip, <const uint8_t *>ip, len(ip))
        out.remote.port = remote[1]
        out.family = out.remote.family = address.version

    cdef put_path(self, fw_path_t *out, path):
        cdef bytes local_ip = ipaddress.ip_address(path.local[0]).packed
        if path.local[1] not in self.ports:
            self.ports.append(path.local[1])
        self.put_remote(out, path.remote)
        memcpy(out.local_ip, <const uint8_t *>local_ip, len(local_ip))
        out.socket = self.ports.index(path.local[1])
        self.paths[(<const uint8_t *>out)[:sizeof(fw_path_t)]] = path

    def local_port(self, uint8_t socket, port):
        return self.ports[socket]

    def submit(self, command, uint64_t now_us):
        cdef fw_result_t result
        cdef bytes head
        cdef bytes tail
        cdef fw_path_t path
        head, tail = border.encode(command, 0)
        if isinstance(command, ReadStatistics):
            return self._read_statistics(head)
        if isinstance(command, CheckPath):
            self.put_remote(&path, command.remote)
            path.serial = command.port
            self.paths[(<const uint8_t *>&path)[:sizeof(path)]] = Path(command.remote, UNSPECIFIED)
        result = fw_core_command(self.core, <const fw_command_t *><const uint8_t *>head, tail, len(tail), now_us)
        return border.decode_result((<const uint8_t *>&result)[:sizeof(result)])

    def _read_statistics(self, bytes command):
        cdef size_t size
        cdef fw_result_t result
        cdef fw_statistics_t *statistics = <fw_statistics_t *>malloc(sizeof(fw_statistics_t))
        if statistics == NULL:
            raise MemoryError
        try:
            result = fw_statistics_read(self.core, <const fw_command_t *><const uint8_t *>command, statistics, &size)
            return border.decode_result((<const uint8_t *>&result)[:sizeof(result)] + (<const uint8_t *>statistics)[:size])
        finally:
            free(statistics)

    def receive(self, path, bytes data, uint64_t now_us):
        cdef fw_path_t from_path
        cdef size_t length = len(data)
        cdef uint8_t *copy = <uint8_t *>malloc(length or 1)  # exactly `length` bytes, so that a sanitizer detects reads beyond it
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
        return named_counters(&self.core.counters, fw_counter_names, FW_COUNTER_COUNT)
