"""Flows over one link in virtual time: an event heap, and the measures that the scorecard takes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from .link import SECOND, Conditions, Link
from .publisher import FRAME_US, LADDER, Publisher
from .server import Server
from .viewer import Viewer


@dataclass(frozen=True)
class Plan:
    """One flow: its propagation delays and when it sends."""

    one_way_us: int = 25_000
    active: Sequence[tuple[int, int]] = ((0, 1 << 60),)
    storm: bool = False


@dataclass
class Flow:
    plan: Plan
    publisher: Publisher
    server: Server
    viewer: Viewer
    timeline: list[tuple[int, int, int, int]] = field(default_factory=list)  # time, estimate, queue, rung
    wake_us: int = 1 << 62


class Simulation:
    """The same conditions, plans and seed give the same result."""

    def __init__(self, conditions: Conditions, plans: Sequence[Plan] = (Plan(),), seed: int = 1):
        self.link = Link(conditions, seed)
        self.now_us = 0
        self._order = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self.produced: list[list[tuple[int, int]]] = []
        self.flows: list[Flow] = []
        for index, plan in enumerate(plans):
            publisher = Publisher(seed * 1009 + index)
            viewer = Viewer(2 * plan.one_way_us, plan.storm)
            flow = Flow(plan, publisher, Server(publisher), viewer)
            self.flows.append(flow)
            start_us = 1 + plan.active[0][0] + index * 7_000
            self._at(start_us, partial(self._frame, flow))
            self._at(start_us + 60_000, partial(self._report, flow))
            if plan.storm:
                self._at(start_us + 20_000, partial(self._nack, flow))

    def run(self, seconds: float) -> Simulation:
        end_us = int(seconds * SECOND)
        while self._events and self._events[0][0] <= end_us:
            self.now_us, _, act = heapq.heappop(self._events)
            act()
        self.now_us = end_us
        return self

    def _at(self, when_us: int, act: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._events, (when_us, self._order, act))

    def _step(self, flow: Flow) -> None:
        next_us = flow.server.step(self.now_us)
        for seq, media_seq, size in flow.server.outbox:
            leaves_us = self.link.transmit(size, self.now_us)
            if leaves_us is not None:
                flow.viewer.expect(leaves_us + flow.plan.one_way_us, seq, media_seq, size)
        flow.server.outbox.clear()
        if next_us is None:
            return
        next_us = max(next_us, self.now_us + 1_000)  # the worker's clock is coarse
        if next_us < flow.wake_us or flow.wake_us <= self.now_us:
            flow.wake_us = next_us
            self._at(next_us, lambda: self._wake(flow, next_us))

    def _wake(self, flow: Flow, due_us: int) -> None:
        if flow.wake_us == due_us:
            flow.wake_us = 1 << 62
            self._step(flow)

    def _frame(self, flow: Flow) -> None:
        frames = flow.publisher.frames(self.now_us)
        if any(start <= self.now_us < end for start, end in flow.plan.active):
            flow.server.frames(frames, self.now_us)
            self._step(flow)
        server = flow.server
        flow.timeline.append((self.now_us, server.estimator.estimate_bps, server.estimator.queue_us, server.target))
        self._at(self.now_us + FRAME_US, lambda: self._frame(flow))

    def _report(self, flow: Flow) -> None:
        report = flow.viewer.report(self.now_us)
        nacks = [] if flow.plan.storm else flow.viewer.nacks(self.now_us)
        if report is not None:
            self._at(self.now_us + flow.plan.one_way_us, lambda: self._receive(flow, report, nacks))
        self._at(self.now_us + flow.viewer.report_interval_us(self.now_us), lambda: self._report(flow))

    def _receive(self, flow: Flow, report: tuple[int, list[int | None]], nacks: list[int]) -> None:
        flow.server.feedback(*report, self.now_us)
        flow.server.repair(nacks, self.now_us)
        self._step(flow)

    def _nack(self, flow: Flow) -> None:
        nacks = flow.viewer.nacks(self.now_us)
        self._at(self.now_us + flow.plan.one_way_us, lambda: self._repair(flow, nacks))
        self._at(self.now_us + 20_000, lambda: self._nack(flow))

    def _repair(self, flow: Flow, nacks: list[int]) -> None:
        flow.server.repair(nacks, self.now_us)
        self._step(flow)

    def delivered_bps(self, start_s: float, end_s: float, flow: int = 0) -> float:
        """Media that arrived for the first time."""
        arrived = self.flows[flow].viewer.delivered
        start_us, end_us = start_s * SECOND, end_s * SECOND
        return sum(size for us, size in arrived if start_us <= us < end_us) * 8 / (end_s - start_s)

    def queue_ms(self, percentile: float, start_s: float, end_s: float) -> float:
        """Of the packets sent from `start_s` to `end_s`."""
        delays = sorted(us for at, us in self.link.samples if start_s * SECOND <= at < end_s * SECOND)
        return delays[min(len(delays) - 1, int(len(delays) * percentile / 100))] / 1000 if delays else 0.0

    def queue_below_after_s(self, limit_ms: float, change_s: float, quiet_s: float = 1.0) -> float:
        """Seconds from `change_s` until no packet of the next `quiet_s` waits longer than `limit_ms`."""
        over = [at / SECOND for at, us in self.link.samples if at >= change_s * SECOND and us > limit_ms * 1000]
        last = change_s
        for at in over:
            if at - last > quiet_s:
                break
            last = at
        return last - change_s

    def rung_after_s(self, rung: int, start_s: float, flow: int = 0) -> float | None:
        """Seconds from `start_s` until the flow wants at least `rung`."""
        for at, _, _, wanted in self.flows[flow].timeline:
            if at >= start_s * SECOND and wanted >= rung:
                return at / SECOND - start_s
        return None

    def changes_a_minute(self, start_s: float, end_s: float, flow: int = 0) -> float:
        changes = self.flows[flow].server.changes
        return sum(start_s * SECOND <= at < end_s * SECOND for at, _ in changes) * 60 / (end_s - start_s)

    def padding_share(self) -> float:
        return sum(f.server.probe_bytes for f in self.flows) / max(1, sum(f.server.sent_bytes for f in self.flows))


def best_rung_bps(link_bps: float) -> int:
    """The rate of the best rung that takes at most 0.9 of a link; the lowest rung's where none does."""
    return max((bps for bps in LADDER if bps <= 0.9 * link_bps), default=LADDER[0])


def jain(rates: Sequence[float]) -> float:
    """Jain's fairness index: 1 where all are equal."""
    squares = sum(rate * rate for rate in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else 0.0
