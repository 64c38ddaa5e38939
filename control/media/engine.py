"""The seam: the one place where the control plane reaches the workers of the fast path."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NewType, Protocol, Self

from ...fastpath.backends import Backend, BackendError, choose
from ...fastpath.messages import (
    AddConsumer,
    AddCopy,
    AddProducer,
    AddSource,
    AddTarget,
    BindConsumer,
    CheckPath,
    CloseReason,
    CloseTransport,
    Codec,
    Command,
    ConsumerSpec,
    Encoding,
    Extension,
    FeedPacket,
    FeedReport,
    Kind,
    Latency,
    OpenTransport,
    Path,
    PayloadType,
    ProducerSpec,
    Punt,
    ReadStatistics,
    RemoveConsumer,
    RemoveProducer,
    RemoveTarget,
    RestartIce,
    Result,
    SendDatagram,
    SetConsent,
    SetKeys,
    SetLayers,
    SrtpProfile,
    StreamStatistics,
    TransportChange,
    TransportState,
    TransportStatistics,
)
from ...fastpath.worker import Worker
from ..config.options import MediaOptions
from .keys import SrtpKeys

__all__ = [
    "AddSource",
    "Addresses",
    "Backend",
    "BackendError",
    "CheckPath",
    "CloseReason",
    "Codec",
    "ConsumerId",
    "ConsumerSpec",
    "Encoding",
    "Engine",
    "EngineConfig",
    "EngineError",
    "Extension",
    "FeedPacket",
    "FeedReport",
    "Kind",
    "Latency",
    "Path",
    "PayloadType",
    "ProducerId",
    "ProducerSpec",
    "SrtpProfile",
    "StreamStatistics",
    "TransportChange",
    "TransportId",
    "TransportListener",
    "TransportState",
    "TransportStatistics",
    "WorkerNumbers",
]

log = logging.getLogger(__name__)

TransportId = NewType("TransportId", int)
ProducerId = NewType("ProducerId", int)
ConsumerId = NewType("ConsumerId", int)

# An id of the engine is a worker's id with the worker's index above it: generation and slot take 56 bits.
_WORKER_SHIFT = 56
_MAX_TICKETS = 4096
_REASONS = {1: "it is gone", 2: "a limit is reached", 3: "it is in use already", 4: "a value is out of its range"}
_STALE, _LIMIT, _REFUSED = 1, 2, 4
_RING_FULL_S = 0.005  # when to try again


class EngineError(Exception):
    """A worker could not do what was asked: what it was about has gone (`stale`), or a `limit` is reached, or else."""

    def __init__(self, what: str, code: int, why: str = "") -> None:
        super().__init__(f"{what}: {why or _REASONS.get(code, f'error {code}')}")
        self.stale = code == _STALE
        self.limit = code == _LIMIT


class TransportListener(Protocol):
    """Whoever owns a transport hears of it here, on the event loop."""

    def on_datagram(self, data: bytes) -> None:
        """A DTLS datagram has come over the transport's path."""

    def on_change(self, change: TransportChange) -> None:
        """State or path has changed; states in between may have been skipped."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Worker i binds the addresses `udp[i]` and, unless `tcp` is empty, `tcp[i]`.

    Each worker also binds `ports_per_worker` UDP ports of `ports_host`, from which a CallingEngine calls servers.
    """

    udp: Sequence[Sequence[tuple[str, int]]]
    tcp: Sequence[Sequence[tuple[str, int]]] = ()
    tcp_connections_per_worker: int = 4096
    ports_per_worker: int = 0
    ports_host: str = "0.0.0.0"
    options: MediaOptions = field(default_factory=MediaOptions)


class Addresses(NamedTuple):
    """The (IP, port) that a worker has bound; connections come in at those of TCP."""

    udp: Sequence[tuple[str, int]]
    tcp: Sequence[tuple[str, int]]


class WorkerNumbers(NamedTuple):
    """What one worker has counted, by name, what was dropped as drop_*; how long packets were in it; and what each of
    its sockets was granted: address, buffers in bytes, GSO and GRO."""

    counters: Mapping[str, int]
    latency: Latency
    sockets: Sequence[Mapping[str, object]] = ()


@dataclass(slots=True)
class _Port:
    """One worker, and who waits for what it answers."""

    index: int
    worker: Worker
    addresses: Addresses
    waiting: dict[int, _Waiter] = field(default_factory=dict)
    ports: Sequence[tuple[str, int]] = ()  # its own, towards servers
    listeners: dict[int, TransportListener] = field(default_factory=dict)
    opening: int = 0  # transports that are not among the listeners yet
    waking: bool = False  # it is about to be woken
    dropped: int = 0  # datagrams that the worker was too far behind to send

    @property
    def load(self) -> int:
        return len(self.listeners) + self.opening


@dataclass(frozen=True, slots=True)
class _Waiter:
    """Who waits for a result: a future, and the owner of the transport that it will name, if it does."""

    result: asyncio.Future[Result]
    listener: TransportListener | None = None


@dataclass(slots=True)
class _Copy:
    """A producer's copy on another worker, and how many consumers are bound to it."""

    id: int
    users: int = 0


class Engine:
    """The workers of this node. Ids are of the engine; methods raise EngineError where a worker refuses.

    Use it as an async context manager: it finds what encrypts (BackendError), binds the sockets (OSError), runs the
    threads and ends them.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.options = config.options
        self._config = config
        self._ports: list[_Port] = []
        self._producers: dict[ProducerId, ProducerSpec] = {}
        self._consumers: dict[ConsumerId, ConsumerSpec] = {}
        self._bound: dict[ConsumerId, ProducerId] = {}
        self._copies: dict[tuple[ProducerId, int], _Copy] = {}
        self._copying = asyncio.Lock()
        self._abandoned: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self.crypto = choose(self.options.crypto)
        log.info("media is encrypted by %s %s: %s", *self.crypto)
        try:
            for index in range(len(self._config.udp)):
                self._ports.append(self._make_worker(index))
            for one, other in itertools.combinations(self._ports, 2):
                one.worker.connect(other.worker)
        except BaseException:
            self._stop()
            raise
        for port in self._ports:
            for granted in port.worker.capabilities:
                log.info("worker %d: %s", port.index, ", ".join(f"{name} {value}" for name, value in granted.items()))
            port.worker.start()
            self._loop.add_reader(port.worker.fileno(), self._read, port)
        return self

    async def __aexit__(self, *_: object) -> None:
        for port in self._ports:
            self._loop.remove_reader(port.worker.fileno())
            for waiter in port.waiting.values():
                waiter.result.cancel()
        await asyncio.to_thread(self._stop)

    def _make_worker(self, index: int) -> _Port:
        config = self._config
        with contextlib.ExitStack() as stack:
            udp = _bind(stack, config.udp[index], socket.SOCK_DGRAM)
            tcp = _bind(stack, config.tcp[index], socket.SOCK_STREAM) if config.tcp else []
            ports = _bind(stack, [(config.ports_host, 0)] * config.ports_per_worker, socket.SOCK_DGRAM)
            worker = Worker(
                index,
                udp,
                tcp,
                ports=ports,
                tcp_connections=config.tcp_connections_per_worker,
                pool_packets=self.options.packets_per_worker,
                instant_join_us=int(self.options.instant_join_s * 1e6),
                coalesce_us=self.options.coalesce_us,
                max_ssrcs=self.options.max_ssrcs_per_session,
            )
            stack.pop_all()  # the sockets are the worker's from here on
        bound = Addresses([sock.getsockname()[:2] for sock in udp], [sock.getsockname()[:2] for sock in tcp])
        return _Port(index, worker, bound, ports=[sock.getsockname()[:2] for sock in ports])

    def addresses(self, transport: TransportId) -> Addresses:
        """What the transport's worker has bound."""
        return self._port(transport).addresses

    async def open_transport(self, ufrag: str, pwd: str, listener: TransportListener) -> TransportId:
        """Open a transport with these local ICE credentials on the worker with the fewest."""
        port = min(self._ports, key=lambda port: port.load)
        command = OpenTransport(
            ufrag,
            pwd,
            consent_us=int(self.options.consent_timeout_s * 1e6),
            connect_us=int(self.options.connect_timeout_s * 1e6),
            rtcp_ssrc=random.randrange(1, 1 << 32),
            first_transport_cc=random.getrandbits(16),
            publish_bps=self.options.publish_bps,
        )
        port.opening += 1
        try:
            opened = await self._ask(port, command, listener=listener)
        finally:
            port.opening -= 1
        return TransportId(opened.id | port.index << _WORKER_SHIFT)

    async def restart_ice(self, transport: TransportId, ufrag: str, pwd: str) -> None:
        """Give the transport new local credentials; the old ones go when the new ones are first used."""
        await self._ask(self._port(transport), RestartIce(_local(transport), ufrag, pwd))

    async def set_keys(self, transport: TransportId, keys: SrtpKeys) -> None:
        """Give the transport its SRTP keys: media flows from now on."""
        command = SetKeys(_local(transport), keys.profile, keys.local, keys.remote)
        await self._ask(self._port(transport), command)

    def send_datagram(self, transport: TransportId, data: bytes) -> None:
        """Send a DTLS datagram over the transport's path. It may be lost, as any datagram."""
        try:
            self._push(self._port(transport), SendDatagram(_local(transport), data))
        except BlockingIOError:
            self._port(transport).dropped += 1

    async def set_consent(self, transport: TransportId, seconds: float) -> None:
        """Change how long the transport lives without a check from its peer."""
        await self._ask(self._port(transport), SetConsent(_local(transport), int(seconds * 1e6)))

    async def close_transport(self, transport: TransportId) -> None:
        """Close the transport, with all that is on it. Closing it again does nothing."""
        port = self._port(transport)
        if port.listeners.pop(_local(transport), None) is not None:
            await self._ask(port, CloseTransport(_local(transport)))

    async def add_producer(self, transport: TransportId, spec: ProducerSpec) -> ProducerId:
        """Expect a medium from the transport's peer."""
        port = self._port(transport)
        local = (await self._ask(port, AddProducer(_local(transport), spec))).id
        producer = ProducerId(local | port.index << _WORKER_SHIFT)
        self._producers[producer] = spec
        return producer

    async def remove_producer(self, producer: ProducerId) -> None:
        """Forget a producer; its consumers follow nobody then. One whose transport has gone may be named."""
        if self._producers.pop(producer, None) is None:
            return
        async with self._copying:
            for key in [key for key in self._copies if key[0] == producer]:
                await self._ask(self._ports[key[1]], RemoveProducer(self._copies.pop(key).id), may_be_gone=True)
        await self._ask(self._port(producer), RemoveProducer(_local(producer)), may_be_gone=True)

    async def add_consumer(self, transport: TransportId, spec: ConsumerSpec) -> ConsumerId:
        """Prepare to send a medium to the transport's peer; it follows nobody yet."""
        port = self._port(transport)
        command = AddConsumer(
            _local(transport),
            spec,
            first_seq16=random.randrange(1, 1 << 15),
            first_rtx_seq16=random.getrandbits(15),
            first_timestamp=random.getrandbits(32),
        )
        consumer = ConsumerId((await self._ask(port, command)).id | port.index << _WORKER_SHIFT)
        self._consumers[consumer] = spec
        return consumer

    async def bind_consumer(
        self,
        consumer: ConsumerId,
        producer: ProducerId | None,
        payload_types: Iterable[tuple[int, int]] = (),
        *,
        same_clock: bool = False,
    ) -> None:
        """Let a consumer follow a producer of any worker, or nobody; what its viewer gets goes on unbroken.

        `payload_types` pairs the producer's numbers with the consumer's; `same_clock` says that the producer before
        was stamped by the same device.
        """
        port = self._port(consumer)
        before = self._bound.pop(consumer, None)
        try:
            if producer is None:
                await self._ask(port, BindConsumer(_local(consumer), 0), may_be_gone=True)
            else:
                await self._follow(consumer, producer, port, dict(payload_types), same_clock)
        finally:
            if before is not None:
                await self._release(before, port)

    async def remove_consumer(self, consumer: ConsumerId) -> None:
        """Forget a consumer. One whose transport has gone may be named."""
        if self._consumers.pop(consumer, None) is None:
            return
        port = self._port(consumer)
        await self._ask(port, RemoveConsumer(_local(consumer)), may_be_gone=True)
        if (before := self._bound.pop(consumer, None)) is not None:
            await self._release(before, port)

    async def set_layers(
        self, consumer: ConsumerId, encoding: int | None, spatial: int | None = None, temporal: int | None = None
    ) -> None:
        """Choose an encoding of the producer that the consumer follows, and the highest layers of it (0 to 7); None is
        the highest, as after each binding."""
        await self._ask(self._port(consumer), SetLayers(_local(consumer), encoding, spatial, temporal))

    async def statistics(self, transport: TransportId) -> TransportStatistics:
        """What the transport's worker knows of it now."""
        port = self._port(transport)
        found = (await self._ask(port, ReadStatistics(_local(transport)))).statistics
        assert found is not None
        streams = (replace(stream, id=stream.id | port.index << _WORKER_SHIFT) for stream in found.streams)
        return replace(found, id=transport, streams=tuple(streams))

    def counters(self) -> Sequence[WorkerNumbers]:
        """The numbers of each worker."""
        return [
            WorkerNumbers(
                {**port.worker.counters(), "drop_commands_full": port.dropped},
                port.worker.latency(),
                port.worker.capabilities,
            )
            for port in self._ports
        ]

    def _port(self, some_id: int) -> _Port:
        try:
            return self._ports[some_id >> _WORKER_SHIFT]
        except IndexError:  # the workers have been stopped
            raise EngineError("The engine", _STALE) from None

    async def _ask(
        self, port: _Port, command: Command, *, may_be_gone: bool = False, listener: TransportListener | None = None
    ) -> Result:
        future: asyncio.Future[Result] = self._loop.create_future()
        ticket = await self._submit(port, command)
        port.waiting[ticket] = _Waiter(future, listener)
        try:
            result = await future
        except asyncio.CancelledError:
            if listener is not None and not future.cancelled():  # it came, and was not taken any more
                self._abandon(port, future.result())
            raise
        if result.error and not (may_be_gone and result.error == _STALE):
            raise EngineError(type(command).__name__, result.error)
        return result

    async def _submit(self, port: _Port, command: Command) -> int:
        """The command's ticket. A full ring is waited for: no command may be lost, least of all one that closes."""
        while True:
            try:
                if len(port.waiting) < _MAX_TICKETS:
                    return self._push(port, command)
            except BlockingIOError:
                pass
            except ValueError as error:
                raise EngineError(type(command).__name__, _REFUSED, str(error)) from None
            await asyncio.sleep(_RING_FULL_S)

    def _push(self, port: _Port, command: Command) -> int:
        """Queue a command. The worker is woken once for all that come together. Raises BlockingIOError."""
        ticket = port.worker.submit(command, wake=False)
        if not port.waking:
            port.waking = True
            self._loop.call_soon(self._wake, port)
        return ticket

    def _wake(self, port: _Port) -> None:
        port.waking = False
        port.worker.wake()

    def _read(self, port: _Port) -> None:
        for event in port.worker.read_events():
            if isinstance(event, Result):
                self._settle(port, event)
                continue
            listener = port.listeners.get(event.transport)
            if listener is None:
                continue
            try:
                if isinstance(event, Punt):
                    listener.on_datagram(event.data)
                else:
                    listener.on_change(event)
            except Exception:
                log.exception("the owner of a transport failed to take an event")

    def _settle(self, port: _Port, result: Result) -> None:
        waiter = port.waiting.pop(result.ticket, None)
        if waiter is None:
            return
        if waiter.listener is not None and not result.error:
            port.listeners[result.id] = waiter.listener  # now: a change may be next in line
        if not waiter.result.done():
            waiter.result.set_result(result)
        elif waiter.listener is not None:
            self._abandon(port, result)

    def _abandon(self, port: _Port, opened: Result) -> None:
        """Whoever asked for a transport has gone meanwhile."""
        if opened.error:
            return
        closing = asyncio.create_task(self.close_transport(TransportId(opened.id | port.index << _WORKER_SHIFT)))
        self._abandoned.add(closing)
        closing.add_done_callback(self._abandoned.discard)

    async def _follow(
        self,
        consumer: ConsumerId,
        producer: ProducerId,
        port: _Port,
        payload_types: Mapping[int, int],
        same_clock: bool,
    ) -> None:
        sent, received = self._producers.get(producer), self._consumers.get(consumer)
        if sent is None or received is None:
            raise EngineError("BindConsumer", _STALE)
        local = await self._local_producer(producer, sent, port)
        if consumer not in self._consumers:
            await self._release(producer, port)
            raise EngineError("BindConsumer", _STALE)
        self._bound[consumer] = producer
        formats = _format_indexes(sent, received, payload_types)
        await self._ask(port, BindConsumer(_local(consumer), local, formats, same_clock))

    async def _local_producer(self, producer: ProducerId, spec: ProducerSpec, port: _Port) -> int:
        """The producer's id on this worker: its own at home, else that of a copy, made with the first use."""
        home = self._port(producer)
        if home is port:
            return _local(producer)
        async with self._copying:
            key = (producer, port.index)
            if key not in self._copies:
                made = await self._ask(port, AddCopy(home.index, _local(producer), spec))
                try:
                    await self._ask(home, AddTarget(_local(producer), port.index, made.id))
                except EngineError:  # the producer has gone meanwhile
                    await self._ask(port, RemoveProducer(made.id), may_be_gone=True)
                    raise
                self._copies[key] = _Copy(made.id)
            self._copies[key].users += 1
            return self._copies[key].id

    async def _release(self, producer: ProducerId, port: _Port) -> None:
        """A consumer on this worker has left the producer: its copy goes with the last one."""
        async with self._copying:
            copy = self._copies.get((producer, port.index))
            if copy is None:
                return
            copy.users -= 1
            if copy.users > 0:
                return
            del self._copies[producer, port.index]
            home = self._port(producer)
            await self._ask(home, RemoveTarget(_local(producer), port.index, copy.id), may_be_gone=True)
            await self._ask(port, RemoveProducer(copy.id), may_be_gone=True)

    def _stop(self) -> None:
        for port in self._ports:
            port.worker.stop()
        self._ports.clear()  # a worker must not outlive the modules that it uses


def _local(some_id: int) -> int:
    return some_id & (1 << _WORKER_SHIFT) - 1


def _bind(
    stack: contextlib.ExitStack, addresses: Sequence[tuple[str, int]], kind: socket.SocketKind
) -> list[socket.socket]:
    """Sockets bound to `addresses`, which `stack` closes."""
    sockets: list[socket.socket] = []
    for host, port in addresses:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = stack.enter_context(socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC))
        sockets.append(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:  # connections of a server before this one may linger
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            protocol = "TCP" if kind is socket.SOCK_STREAM else "UDP"
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise OSError(error.errno, error.strerror, f"{protocol} {shown}") from None
    return sockets


def _format_indexes(
    producer: ProducerSpec, consumer: ConsumerSpec, payload_types: Mapping[int, int]
) -> tuple[int | None, ...]:
    """For each of the producer's formats the index of the consumer's, or None."""
    places = {accepted.pt: index for index, accepted in enumerate(consumer.payload_types)}
    return tuple(places.get(payload_types.get(sent.pt, -1)) for sent in producer.payload_types)
