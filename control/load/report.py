"""The result of a test, as JSON and as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .measure import Received, Sent


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The percentile of the values (nearest rank), or None where there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(slots=True)
class Crowd:
    """The joins of the clients of one kind."""

    wanted: int = 0
    join_s: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)  # by reason
    ended: Counter[str] = field(default_factory=Counter)  # joined, but ended before the test did, by reason

    @property
    def joined(self) -> int:
        return len(self.join_s)

    def as_dict(self) -> dict[str, Any]:
        return {
            "wanted": self.wanted,
            "joined": self.joined,
            "failed": dict(self.failed),
            "ended_early": dict(self.ended),
            "join_ms": _milliseconds(self.join_s),
        }


@dataclass(slots=True)
class Report:
    """The result of one test."""

    url: str
    duration_s: float
    viewers: Crowd
    publishers: Crowd
    received: Received
    sent: Sent
    latencies_s: list[float]
    drops: Mapping[str, int]  # by this machine, under the names of the fast path's counters

    @property
    def dropped_here(self) -> int:
        """Packets that this machine dropped because it was too slow: not the server's loss."""
        return sum(self.drops.get(name, 0) for name in ("udp_receive_overflow", "drop_pool_full"))

    @property
    def everybody_joined(self) -> bool:
        return all(crowd.joined == crowd.wanted for crowd in (self.viewers, self.publishers))

    def as_dict(self) -> dict[str, Any]:
        """The report for --json."""
        received = self.received
        return {
            "url": self.url,
            "duration_s": round(self.duration_s, 3),
            "viewers": self.viewers.as_dict(),
            "publishers": self.publishers.as_dict(),
            "received": asdict(received)
            | {
                "bits_per_s": round(received.bytes * 8 / self.duration_s) if self.duration_s else 0,
                "loss": _share(received.lost, received.packets + received.lost),
            },
            "sent": asdict(self.sent),
            "latency_ms": _milliseconds(self.latencies_s),
            "dropped_here": self.dropped_here,
            "drops": dict(self.drops),
        }

    def lines(self) -> list[str]:
        """The report as lines of text."""
        numbers = self.as_dict()
        received = self.received
        lines = [_crowd_line("viewers", self.viewers)]
        if self.publishers.wanted:
            lines.append(_crowd_line("publishers", self.publishers))
        lines += [f"  failed: {count} x {text}" for count, text in _reasons(self.viewers, self.publishers, "failed")]
        lines += [
            f"  ended early: {count} x {text}" for count, text in _reasons(self.viewers, self.publishers, "ended")
        ]
        lines.append(
            f"received: {received.packets} packets, {numbers['received']['bits_per_s'] / 1e6:.1f} Mbit/s on average, "
            f"lost {received.lost} ({numbers['received']['loss']:.3%}), repaired {received.repaired}"
        )
        lines.append(
            f"pictures: {received.frames} frames, {received.freezes} freezes of {received.viewers_frozen} viewers, "
            f"{received.frozen_s:.1f} s frozen, longest still {received.longest_still_s * 1000:.0f} ms"
        )
        if received.viewers_without_media:
            lines.append(f"viewers that got no media: {received.viewers_without_media}")
        if self.latencies_s:
            lines.append(f"latency: {_spread(self.latencies_s)}")
        if self.dropped_here:
            lines.append(f"this machine was too slow: it dropped {self.dropped_here} packets itself")
        return lines


def _crowd_line(kind: str, crowd: Crowd) -> str:
    joined = f"{kind}: {crowd.joined} of {crowd.wanted} joined"
    return f"{joined}, in {_spread(crowd.join_s)}" if crowd.join_s else joined


def _reasons(viewers: Crowd, publishers: Crowd, which: str) -> list[tuple[int, str]]:
    counts: Counter[str] = getattr(viewers, which) + getattr(publishers, which)
    return [(count, reason) for reason, count in counts.most_common(10)]


def _milliseconds(seconds: Sequence[float]) -> dict[str, float | int | None]:
    points = {f"p{percent}": percentile(seconds, percent) for percent in (50, 95, 99)}
    points["max"] = max(seconds, default=None)
    rounded = {name: None if value is None else round(value * 1000, 1) for name, value in points.items()}
    return {"samples": len(seconds), **rounded}


def _spread(seconds: Sequence[float]) -> str:
    numbers = _milliseconds(seconds)
    return f"median {numbers['p50']} ms, 95 % {numbers['p95']} ms, 99 % {numbers['p99']} ms, most {numbers['max']} ms"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
