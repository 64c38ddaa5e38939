"""Writes docs/scorecard.md and its plots: how the congestion control does on simulated links."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from ci.support.links.cases import Case, Measure, cases, competing, drop, rise, worst
from ci.support.links.simulation import Simulation

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Scorecard of the congestion control

Written by `python -m bench.scorecard`. A simulator in virtual time (`ci/support/links`) runs the compiled estimator and
allocator (`fastpath/cc`) for viewers on limited links. The publisher sends three encodings of 148, 500 and 2470 kbit/s
at 30 fps; switching, pacing and repairs are a model of the server's. Queues hold 300 ms and one-way delays are 25 ms
where a case says nothing else. Stalls are exponential in length, and the time between two has a mean of 100 ms: stalls
of 30 ms take 23 % of a link's capacity. "Of the best rung" means of the best encoding that takes at most 0.9 of the
link. Each figure is the worst of {seeds} seeds.

| | case | measure | bar | result |
|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scorecard", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of each case (default 5)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of scorecard.md (default docs)")
    options = parser.parse_args()
    lines = list(rows(range(1, options.seeds + 1)))
    draw_all(options.out / "plots")
    names = ("rise", "drop", "fairness")
    pictures = "\n\n".join(f"![{name}](plots/scorecard-{name}.svg)" for name in names)
    text = HEAD.format(seeds=options.seeds) + "\n".join(lines) + f"\n\n{pictures}\n"
    (options.out / "scorecard.md").write_text(text)


def rows(seeds: range) -> Iterator[str]:
    for case in cases():
        for measure in worst(case, seeds):
            yield row(case, measure)


def row(case: Case, measure: Measure) -> str:
    sign = "≥" if measure.at_least else "≤"
    unit = f" {measure.unit}" if measure.unit else ""
    mark = "holds" if measure.holds else "**missed**"
    return f"| {mark} | {case.name} | {measure.name} | {sign} {measure.bar:g}{unit} | {measure.value:.2f}{unit} |"


def draw_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw_flow(drop(4, 1, 300, 3).run(1)[0], "4 → 1 Mbit/s after 20 s", folder / "scorecard-drop.svg")
    draw_flow(rise(0.6, 3, 5).run(1)[0], "0.6 → 3 Mbit/s after 30 s", folder / "scorecard-rise.svg")
    draw_fairness(competing(1)[0], folder / "scorecard-fairness.svg")


def draw_flow(simulation: Simulation, title: str, path: Path) -> None:
    """Estimate and delivered rate of the first flow, in each half second."""
    seconds = [half / 2 for half in range(int(simulation.now_us / 500_000))]
    chart = line_chart(f"{title}: kbit/s", seconds)
    timeline = simulation.flows[0].timeline
    estimates = [next((bps for at, bps, _, _ in timeline if at / 1e6 >= second), None) for second in seconds]
    chart.add("estimate", [bps and bps // 1000 for bps in estimates])
    chart.add("delivered", [round(simulation.delivered_bps(second, second + 0.5) / 1000) for second in seconds])
    path.write_bytes(chart.render())


def draw_fairness(simulation: Simulation, path: Path) -> None:
    seconds = [float(second) for second in range(0, int(simulation.now_us / 1e6), 2)]
    chart = line_chart("Three flows on 3.5 Mbit/s, delivered: kbit/s", seconds)
    for flow in range(len(simulation.flows)):
        rates = [round(simulation.delivered_bps(second, second + 2, flow) / 1000) for second in seconds]
        chart.add(f"flow {flow + 1}", rates)
    path.write_bytes(chart.render())


def line_chart(title: str, seconds: list[float]) -> pygal.Line:
    chart = pygal.Line(
        title=title,
        style=CleanStyle,
        js=[],
        width=720,
        height=400,
        legend_at_bottom=True,
        show_dots=False,
        show_minor_x_labels=False,
        x_labels_major_every=20,
    )
    chart.x_labels = [f"{second:g}" for second in seconds]
    return chart


if __name__ == "__main__":
    main()
