"""The virtual clock, the cores that run under it, and the checks on all their datagrams."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

from fanwire.fastpath.messages import Command, Path, Punt, TransportChange
from fanwire.fastpath.testing.sandbox import Sandbox

from .wiretap import Wiretap


class Receiver(Protocol):
    """A peer at an address: gets the datagrams that cores send there."""

    def carry_down(self, path: Path, data: bytes) -> None: ...


@dataclass
class Link:
    """One direction between a peer and a core. Loses datagrams for which `drops` is true, besides `loss`."""

    delay_us: int = 10_000
    jitter_us: int = 0
    loss: float = 0.0
    reorders: bool = False  # jitter may let datagrams overtake each other
    drops: Callable[[bytes], bool] = lambda _: False
    last_arrival_us: int = 0
    lost: int = 0

    def arrival_us(self, now_us: int, chance: random.Random) -> int:
        arrival_us = now_us + self.delay_us + (chance.randrange(self.jitter_us + 1) if self.jitter_us else 0)
        if not self.reorders:
            arrival_us = max(arrival_us, self.last_arrival_us)
        self.last_arrival_us = arrival_us
        return arrival_us

    @contextmanager
    def bad(self, *, jitter_us: int = 15_000, loss: float = 0.05) -> Iterator[None]:
        """Loses and reorders while this lasts. The first and last packets of a stream are spared: a receiver
        cannot detect their loss and so cannot send a NACK."""
        before = self.jitter_us, self.loss, self.reorders
        self.jitter_us, self.loss, self.reorders = jitter_us, loss, True
        yield
        self.jitter_us, self.loss, self.reorders = before

    def loses(self, data: bytes, chance: random.Random) -> bool:
        lost = chance.random() < self.loss or self.drops(data)
        self.lost += lost
        return lost


@dataclass
class Node:
    """A core and its reports to the control plane."""

    sandbox: Sandbox
    touched: bool = False
    busy_until_us: int = 0  # its round lasts until then
    punts: list[Punt] = field(default_factory=list)
    changes: list[TransportChange] = field(default_factory=list)


class World:
    """Cores linked to each other, and peers. As a context manager it checks all sent datagrams at the end."""

    def __init__(
        self,
        *,
        seed: int = 1,
        nodes: int = 1,
        pool_packets: int = 1024,
        max_ssrcs: int = 64,
        coalesce_us: int = 0,
        instant_join_us: int = 3_000_000,
        packet_ns: int = 0,
    ) -> None:
        self.chance = random.Random(seed)
        self.now_us = 1_000_000
        self.packet_ns = packet_ns  # duration of a round per packet sent; 0: rounds take no time
        options = {
            "pool_packets": pool_packets,
            "max_ssrcs": max_ssrcs,
            "coalesce_us": coalesce_us,
            "instant_join_us": instant_join_us,
        }
        self.nodes = [Node(Sandbox(**options)) for _ in range(nodes)]
        self.peers: dict[tuple[str, int], Receiver] = {}
        self.unrouted: list[tuple[Path, bytes]] = []
        self.wiretap = Wiretap()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            self.wiretap.check()

    def at(self, time_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(time_us, self.now_us), next(self._order), action))

    def after(self, delay_us: int, action: Callable[[], None]) -> None:
        self.at(self.now_us + delay_us, action)

    def every(self, interval_us: int, action: Callable[[], bool]) -> None:
        """Calls `action` now and repeatedly until it returns false."""

        def again() -> None:
            if action():
                self.after(interval_us, again)

        self.after(0, again)

    def error(self, command: Command, node: int = 0) -> int:
        """Executes a command. Returns its error."""
        self.nodes[node].touched = True
        return self.nodes[node].sandbox.submit(command, self.now_us).error

    def submit(self, command: Command, node: int = 0) -> int:
        """Executes a command, which must succeed. Returns the id of the new object."""
        self.nodes[node].touched = True
        result = self.nodes[node].sandbox.submit(command, self.now_us)
        assert result.error == 0, (command, result.error)
        return result.id

    def deliver(self, node: int, path: Path, data: bytes) -> None:
        """Delivers a datagram to a core now."""
        self.nodes[node].sandbox.receive(path, data, self.now_us)
        self.nodes[node].touched = True

    def counters(self, node: int = 0) -> dict[str, int]:
        return self.nodes[node].sandbox.counters()

    def drops(self, node: int = 0) -> dict[str, int]:
        """Every drop counter that is not zero."""
        return {name: count for name, count in self.counters(node).items() if count and name.startswith("drop_")}

    def run(self, seconds: float) -> None:
        """Advances the clock and executes everything due."""
        end_us = self.now_us + round(seconds * 1_000_000)
        while (due_us := self._next_us()) <= end_us:
            self.now_us = max(self.now_us, due_us)
            while self._events and self._events[0][0] <= self.now_us:
                heapq.heappop(self._events)[2]()
            self._settle()
        self.now_us = end_us

    def _next_us(self) -> int:
        times = [self._events[0][0]] if self._events else []
        for node in self.nodes:
            next_us = self.now_us if node.touched else node.sandbox.next_us()
            times += [] if next_us is None else [max(next_us, node.busy_until_us)]
        return min(times, default=1 << 63)

    def _settle(self) -> None:
        """Runs rounds of every core with work until no core has records to relay."""
        pending = list(self.nodes)
        while pending:
            for node in pending:
                next_us = node.sandbox.next_us()
                if node.busy_until_us > self.now_us:
                    continue
                if node.touched or (next_us is not None and next_us <= self.now_us):
                    node.touched = False
                    self._round(node)
            pending = [node for node in self.nodes if node.touched and node.busy_until_us <= self.now_us]

    def _round(self, node: Node) -> None:
        node.sandbox.flush(self.now_us)
        node.punts += node.sandbox.take_punts()
        node.changes += node.sandbox.take_changes()
        for record in node.sandbox.take_relayed():
            self.nodes[record.worker].sandbox.receive_relayed(record, self.now_us)
            self.nodes[record.worker].touched = True
        sent = node.sandbox.take_sent()
        if self.packet_ns:
            round_us = len(sent) * self.packet_ns // 1000
            node.sandbox.note_round(round_us)
            node.busy_until_us = self.now_us + round_us
        for path, data in sent:
            peer = self.peers.get(path.remote)
            if peer is None:
                self.unrouted.append((path, data))
            else:
                peer.carry_down(path, data)
