"""Makes and measures a tone in 16-bit samples at 48 kHz."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise

RATE_HZ = 48000
_LOUDNESS = 16000
_AUDIBLE = 1600  # 5 % of full scale, as in tests/support/web/sink.js


def tone(hz: float, first: int, count: int, channels: int = 1) -> bytes:
    """Samples `first` to `first` + `count` of a sine, interleaved."""
    step = 2 * math.pi * hz / RATE_HZ
    samples = array("h")
    for i in range(first, first + count):
        samples.extend([int(_LOUDNESS * math.sin(step * i))] * channels)
    return samples.tobytes()


def frequency(samples: Sequence[int]) -> float:
    """The frequency in Hz of one channel's samples, by counting cycles."""
    cycles = sum(before < 0 <= after for before, after in pairwise(samples))
    return cycles * RATE_HZ / len(samples) if samples else 0.0


def audible(samples: Sequence[int]) -> float:
    """The share of 10 ms pieces in which anything can be heard."""
    pieces = [samples[i : i + RATE_HZ // 100] for i in range(0, len(samples), RATE_HZ // 100)]
    return sum(max(map(abs, piece)) > _AUDIBLE for piece in pieces) / len(pieces) if pieces else 0.0
