"""Makes and measures a tone in 16-bit samples at 48 kHz."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import chain, pairwise

RATE_HZ = 48000
_LOUDNESS = 16000
_PIECE = RATE_HZ // 100
_AUDIBLE = 1600  # 5 % of full scale, as in ci/support/web/sink.js


def tone(hz: float, first: int, count: int, channels: int = 1) -> bytes:
    """Returns samples `first` to `first` + `count` of a sine, interleaved."""
    step = 2 * math.pi * hz / RATE_HZ
    samples = array("h")
    for i in range(first, first + count):
        samples.extend([int(_LOUDNESS * math.sin(step * i))] * channels)
    return samples.tobytes()


def measure(samples: Sequence[int]) -> tuple[float, float]:
    """Returns the audible share of one channel, in 10 ms pieces, and its frequency in Hz."""
    pieces = [samples[i : i + _PIECE] for i in range(0, len(samples) - _PIECE + 1, _PIECE)]
    audible = [piece for piece in pieces if max(map(abs, piece)) > _AUDIBLE]
    if not audible:
        return 0.0, 0.0
    cycles = sum(before < 0 <= after for before, after in pairwise(chain.from_iterable(audible)))
    return len(audible) / len(pieces), cycles * RATE_HZ / (len(audible) * _PIECE)
