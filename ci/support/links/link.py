"""A bottleneck in virtual time: rate, queue, stalls, random and burst loss, reordering."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

SECOND = 1_000_000


@dataclass(frozen=True)
class Conditions:
    """All that a link does to packets. Times are microseconds, rates bit/s, shares 0 to 1."""

    rates: Sequence[tuple[int, int]]  # (from, bit/s), the first from 0
    queue_us: int = 300_000  # longest wait at the rate of the moment
    stall_us: int = 0  # mean length of a stall (exponential)
    stall_every_us: int = 100_000  # mean time between stalls (exponential)
    loss: float = 0.0
    burst_loss: float = 0.0  # share of time in a state in which all packets are lost, 50 ms at a time
    reordered: float = 0.0  # share of packets that take 5 to 30 ms longer


@dataclass
class Link:
    """A FIFO queue with a drop tail before a server whose capacity is a piecewise linear function of time."""

    conditions: Conditions
    seed: int
    samples: list[tuple[int, int]] = field(default_factory=list)  # (time, queue delay) of each packet, microseconds

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._segments: list[tuple[int, float, float]] = [(0, 0.0, self.conditions.rates[0][1] / 8 / SECOND)]
        self._made_us = 0  # segments are complete up to here
        self._at = 0  # index of the segment that departures have reached
        self._sent = 0.0  # capacity used up by the packets accepted so far, bytes
        self._next_rate = 1
        self._stalled_until = 0
        self._next_stall_us = self._draw(self.conditions.stall_every_us) if self.conditions.stall_us else None
        self._burst_from_us, self._burst_until_us = 0, 0

    def transmit(self, size: int, now_us: int) -> int | None:
        """When a packet that enters now leaves, or None where it is lost. Calls come in order of time."""
        offered = self._capacity(now_us)
        backlog = max(0.0, self._sent - offered)
        rate = self._nominal(now_us)
        if backlog * 8 * SECOND / rate > self.conditions.queue_us:
            return None
        self._sent = max(self._sent, offered) + size
        leaves_us = self._departure(self._sent)
        self.samples.append((now_us, leaves_us - now_us - size * 8 * SECOND // rate))
        if self._loses(now_us):
            return None
        if self.conditions.reordered and self._random.random() < self.conditions.reordered:
            leaves_us += self._random.randrange(5_000, 30_000)
        return leaves_us

    def _draw(self, mean_us: int) -> int:
        return int(self._random.expovariate(1 / mean_us)) + 1

    def _loses(self, now_us: int) -> bool:
        share = self.conditions.burst_loss
        if share and now_us >= self._burst_until_us:
            self._burst_from_us = now_us + self._draw(round(50_000 * (1 - share) / share))
            self._burst_until_us = self._burst_from_us + 50_000
        if share and self._burst_from_us <= now_us < self._burst_until_us:
            return True
        return self._random.random() < self.conditions.loss

    def _nominal(self, now_us: int) -> int:
        return next(bps for start_us, bps in reversed(self.conditions.rates) if start_us <= now_us)

    def _extend(self) -> None:
        """Adds the segment that begins with the next change of rate, stall or end of a stall."""
        rates, events = self.conditions.rates, []
        if self._next_rate < len(rates):
            events.append((rates[self._next_rate][0], "rate"))
        if self._next_stall_us is not None:
            events.append((self._next_stall_us, "stall") if not self._stalled_until else (self._stalled_until, "go"))
        if not events:
            self._made_us = 1 << 62
            return
        at_us, kind = min(events)
        if kind == "rate":
            self._next_rate += 1
        elif kind == "stall":
            self._stalled_until = at_us + self._draw(self.conditions.stall_us)
        else:
            self._stalled_until = 0
            self._next_stall_us = at_us + self._draw(self.conditions.stall_every_us)
        start_us, base, speed = self._segments[-1]
        now = self.conditions.rates[self._next_rate - 1][1] / 8 / SECOND
        self._segments.append((at_us, base + (at_us - start_us) * speed, 0.0 if self._stalled_until else now))
        self._made_us = at_us

    def _capacity(self, now_us: int) -> float:
        while self._made_us <= now_us:
            self._extend()
        index = len(self._segments) - 1
        while self._segments[index][0] > now_us:
            index -= 1
        start_us, base, speed = self._segments[index]
        return base + (now_us - start_us) * speed

    def _departure(self, served: float) -> int:
        while True:
            start_us, base, speed = self._segments[self._at]
            last = self._at + 1 == len(self._segments)
            if last and self._made_us < 1 << 62:
                self._extend()
                continue
            if speed and (last or self._segments[self._at + 1][1] >= served):
                return start_us + int((served - base) / speed) + 1
            self._at += 1
