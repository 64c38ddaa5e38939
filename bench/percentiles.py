"""Percentiles of what was measured one by one, or counted in buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanwire.control.load.report import percentile

SHARES = (0.5, 0.9, 0.99, 0.999, 1)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `count` values; zeros where there were none."""

    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    largest: float


def of_values(values: Sequence[float]) -> Percentiles:
    """As the load tester computes them; zeros of nothing."""
    at = [percentile(values, share * 100) or 0.0 for share in SHARES]
    return Percentiles(len(values), *at)


def of_histogram(bounds: Sequence[int], counts: Sequence[int], scale: float) -> Percentiles:
    """From the upper bounds of the buckets, times `scale`; what is in the last one, which has none, is infinite."""
    total = sum(counts)
    limits = [*(bound * scale for bound in bounds), float("inf")]
    at = [_at(limits, counts, total * share) for share in SHARES]
    return Percentiles(total, *at)


def _at(limits: Sequence[float], counts: Sequence[int], rank: float) -> float:
    below = 0
    for limit, count in zip(limits, counts, strict=True):
        below += count
        if count and below >= rank:
            return limit
    return 0.0
