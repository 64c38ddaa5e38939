"""The live table: a terminal shows one line that is overwritten, other outputs get a line every five seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from .measure import Received
from .report import Crowd, percentile

_WIDTHS = {
    "time": 6,
    "viewers": 12,
    "failed": 7,
    "publishers": 11,
    "Mbit/s": 9,
    "packets/s": 10,
    "lost": 8,
    "repaired": 9,
    "freezes": 8,
    "latency ms": 11,
}
_PLAIN_EVERY_S = 5.0


class Table:
    """Prints the progress of a test."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._tty = out.isatty()
        self._start_s = time.monotonic()
        self._last_s = -_PLAIN_EVERY_S
        self._before = (0.0, 0, 0)  # seconds, packets and bytes when last shown
        self._print([*_WIDTHS])
        out.write("\n")

    def show(
        self,
        viewers: Crowd,
        publishers: Crowd,
        received: Received,
        wire: tuple[int, int],
        latencies_s: Sequence[float],
    ) -> None:
        """Print the current state. `wire`: packets and bytes received since the start."""
        now_s = time.monotonic() - self._start_s
        if not self._tty and now_s - self._last_s < _PLAIN_EVERY_S:
            return
        self._last_s = now_s
        before_s, packets, size = self._before
        passed_s = max(now_s - before_s, 1e-3)
        self._before = (now_s, *wire)
        latency_s = percentile(latencies_s[-1000:], 50)
        values = (
            f"{now_s:.0f} s",
            f"{viewers.joined}/{viewers.wanted}",
            viewers.failed.total() + publishers.failed.total(),
            f"{publishers.joined}/{publishers.wanted}",
            f"{(wire[1] - size) * 8 / passed_s / 1e6:.1f}",
            f"{(wire[0] - packets) / passed_s:.0f}",
            received.lost,
            received.repaired,
            received.freezes,
            "" if latency_s is None else f"{latency_s * 1000:.1f}",
        )
        self._print(values)
        if not self._tty:
            self._out.write("\n")
        self._out.flush()

    def close(self) -> None:
        """End the overwritten line."""
        if self._tty:
            self._out.write("\n")

    def _print(self, values: Sequence[object]) -> None:
        line = "".join(str(value).rjust(width) for value, width in zip(values, _WIDTHS.values(), strict=True))
        self._out.write(f"\r{line}" if self._tty else line)
