"""The plots of docs/performance.md, as small SVG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

from .runs import NotMeasured, Run
from .tables import BACKENDS, CROWDS, SWEEP


def draw_all(folder: Path) -> None:
    """Writes every plot. What could not be measured is a gap."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_packets_a_flush(folder / "flush.svg")
    draw_backends(folder / "backends.svg")
    draw_latency(folder / "latency.svg")


def draw_packets_a_flush(path: Path) -> None:
    """The cost of a packet by packets for each subscriber and flush: the floor, and the cost above it."""
    chart = _chart(pygal.StackedBar, "CPU, ns a packet, by packets a flush")
    floors = [_figure(run, "floor_ns_per_packet") for run in SWEEP.values()]
    whole = [_figure(run, "cpu_ns_per_packet") for run in SWEEP.values()]
    chart.x_labels = [str(k) for k in SWEEP]
    chart.add("copies and sends alone", floors)
    chart.add(
        "rewriting, encrypting and all else", [_rest(all_, floor) for all_, floor in zip(whole, floors, strict=True)]
    )
    _write(chart, path)


def draw_backends(path: Path) -> None:
    """The cost of each cipher with each library."""
    chart = _chart(pygal.Bar, "Ratio to the floor, 8 packets a flush", show_legend=False)
    chart.x_labels = list(BACKENDS)
    chart.add("", [_figure(run, "ratio_to_floor") for run in BACKENDS.values()])
    _write(chart, path)


def draw_latency(path: Path) -> None:
    """How late live video is, by the size of the crowd."""
    chart = _chart(pygal.Line, "Latency of live video at 3 Mbit/s, ms, by subscribers on one worker", logarithmic=True)
    chart.y_labels = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    chart.x_labels = [str(n) for n in CROWDS]
    for name in ("p50", "p99", "p999"):
        chart.add(name, [_figure(run, f"end_to_end_ms.{name}") for run in CROWDS.values()])
    _write(chart, path)


def _chart(kind: Any, title: str, **options: Any) -> Any:
    """Without scripts, so that it is small and shows wherever pictures do."""
    return kind(
        title=title,
        style=CleanStyle,
        js=[],
        width=720,
        height=400,
        legend_at_bottom=True,
        truncate_legend=-1,
        **options,
    )


def _write(chart: Any, path: Path) -> None:
    path.write_bytes(chart.render())


def _figure(run: Run, name: str) -> float | None:
    try:
        return round(float(run.figure(name)), 2)
    except NotMeasured:
        return None


def _rest(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else round(whole - part, 2)
