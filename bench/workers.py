"""The workers under measurement: their threads and sockets, and the peers connected to them."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fanwire.fastpath.messages import Command, CoreConfig
from fanwire.fastpath.worker import Worker

from .command_client import submit_all
from .peers import Peer, udp_socket
from .usage import CpuTime

POLL_S = 0.0002
PATIENCE_S = 5.0
CHECKS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Unit:
    """One worker, its address and its thread."""

    worker: Worker
    address: tuple[str, int]
    thread: threading.Thread

    def submit(self, commands: Iterable[Command]) -> list[int]:
        """Submits every command and returns the ids of the results."""
        return submit_all(self.worker, commands)


class Workers:
    """`count` started workers, connected to each other. `close` stops them."""

    def __init__(self, count: int, pool_packets: int, coalesce_us: int = 0) -> None:
        socks = [udp_socket("127.0.0.1") for _ in range(count)]
        config = CoreConfig(pool_packets=pool_packets, coalesce_us=coalesce_us)
        workers = [Worker(i, [sock], config=config) for i, sock in enumerate(socks)]
        for one, other in itertools.combinations(workers, 2):
            one.connect(other)
        self.units = [_started(worker, sock) for worker, sock in zip(workers, socks, strict=True)]

    def close(self) -> None:
        for unit in self.units:
            unit.worker.stop()

    def of(self, index: int) -> Unit:
        """The worker of the subscriber with this index (round robin)."""
        return self.units[index % len(self.units)]

    def counters(self) -> Counter[str]:
        """The sums of all workers' counters, by name."""
        total: Counter[str] = Counter()
        for unit in self.units:
            total.update(unit.worker.counters())
        return total

    def count(self, name: str) -> int:
        return sum(unit.worker.counters()[name] for unit in self.units)

    def wait(self, name: str, want: int, patience_s: float = PATIENCE_S) -> None:
        """Waits until a counter reaches `want`, at most `patience_s`. The caller's figures show losses."""
        deadline = time.monotonic() + patience_s
        while self.count(name) < want and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def settle(self) -> None:
        """Waits until the workers stop sending: they count a packet slightly before it leaves."""
        before = -1
        while (now := self.count("udp_packets_out")) != before:
            before = now
            time.sleep(0.002)

    def cpu(self) -> CpuTime:
        """CPU time of all worker threads."""
        return sum((CpuTime.of(unit.thread) for unit in self.units), CpuTime(0, 0, 0))

    def connect(self, unit: Unit, peers: Sequence[Peer]) -> list[int]:
        """Opens a transport for each peer, lets the peer make itself known, and gives it keys. Returns their ids.

        The keys come last: they tell the core that a handshake has completed, which validates the path.
        """
        transports = unit.submit(peer.open_transport() for peer in peers)
        before = self.count("stun_in")
        for i, peer in enumerate(peers, 1):
            peer.check(unit.address)
            if i % CHECKS_AT_ONCE == 0 or i == len(peers):
                self.wait("stun_in", before + i)
        unit.submit(peer.set_keys(transport) for peer, transport in zip(peers, transports, strict=True))
        return transports


def _started(worker: Worker, sock: socket.socket) -> Unit:
    address: tuple[str, int] = sock.getsockname()
    before = set(threading.enumerate())
    worker.start()
    [thread] = set(threading.enumerate()) - before
    return Unit(worker, address, thread)
