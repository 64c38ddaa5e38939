"""The workers of an engine: binds sockets, connects, starts and stops the workers, finds the one that an id names."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..config.options import MediaOptions
from ..config.values import show_address
from .errors import EngineError
from .fastpath import CoreConfig, ErrorCode, Worker
from .ids import worker_index
from .worker_handle import Addresses, WorkerHandle

log = logging.getLogger(__name__)


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


class Workers:
    """All workers of an engine, between `start` and `stop`; none before and after."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._handles: list[WorkerHandle] = []

    def __iter__(self) -> Iterator[WorkerHandle]:
        return iter(self._handles)

    def of(self, some_id: int) -> WorkerHandle:
        """The worker that holds this transport, producer or consumer. Raises EngineError (`stale`) after `stop`."""
        return self.at(worker_index(some_id))

    def at(self, index: int) -> WorkerHandle:
        """The worker with this index. Raises EngineError (`stale`) after `stop`."""
        try:
            return self._handles[index]
        except IndexError:
            raise EngineError("The engine", ErrorCode.STALE_ID) from None

    def least_loaded(self) -> WorkerHandle:
        """The worker with the fewest transports."""
        return min(self._handles, key=lambda handle: handle.load)

    def start(self) -> None:
        """Bind all sockets and start the threads. Raises OSError for an address, and stops again."""
        try:
            for index in range(len(self._config.udp)):
                self._handles.append(_make_worker(index, self._config))
            for one, other in itertools.combinations(self._handles, 2):
                one.worker.connect(other.worker)
        except BaseException:
            self._join()
            raise
        for handle in self._handles:
            for granted in handle.worker.capabilities:
                log.info("worker %d: %s", handle.index, ", ".join(f"{name} {value}" for name, value in granted.items()))
            handle.start()

    async def stop(self) -> None:
        """End the threads. Callers that wait for a result are cancelled."""
        for handle in self._handles:
            handle.close()
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for handle in self._handles:
            handle.worker.stop()
        self._handles.clear()  # a worker must not outlive the modules that it uses


def _make_worker(index: int, config: EngineConfig) -> WorkerHandle:
    options = config.options
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
            config=CoreConfig(
                pool_packets=options.packets_per_worker,
                instant_join_us=int(options.instant_join_s * 1e6),
                coalesce_us=options.coalesce_us,
                max_ssrcs=options.max_ssrcs_per_session,
            ),
        )
        stack.pop_all()  # from here on the worker owns the sockets
    return WorkerHandle(index, worker, Addresses(_names(udp), _names(tcp)), _names(ports))


def _names(sockets: Sequence[socket.socket]) -> list[tuple[str, int]]:
    return [sock.getsockname()[:2] for sock in sockets]


def _bind(
    stack: contextlib.ExitStack, addresses: Sequence[tuple[str, int]], kind: socket.SocketKind
) -> list[socket.socket]:
    """Sockets bound to `addresses`, which `stack` closes. Raises OSError whose `filename` is the address."""
    sockets: list[socket.socket] = []
    for host, port in addresses:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = stack.enter_context(socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC))
        sockets.append(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:  # connections of an earlier server may be in TIME_WAIT
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            protocol = "TCP" if kind is socket.SOCK_STREAM else "UDP"
            raise OSError(error.errno, error.strerror, f"{protocol} {show_address((host, port))}") from None
    return sockets
