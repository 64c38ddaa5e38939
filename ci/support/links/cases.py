"""The cases of the scorecard: conditions, measures and the bar of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .link import SECOND, Conditions
from .publisher import LADDER
from .simulation import Plan, Simulation, best_rung_bps, jain

TOP = len(LADDER) - 1
WARM_UP_S = 5
STEADY_S = 90
MBIT = 1_000_000


@dataclass(frozen=True)
class Measure:
    """One figure and the bar that it has to reach: at most `bar`, or at least where `at_least`."""

    name: str
    value: float
    bar: float
    unit: str = ""
    at_least: bool = False

    @property
    def holds(self) -> bool:
        rounded = round(self.value, 2)
        return rounded >= self.bar if self.at_least else rounded <= self.bar


@dataclass(frozen=True)
class Case:
    """`run` makes one simulation with a seed and measures it. `quick`: one of those that the tests run."""

    name: str
    run: Callable[[int], tuple[Simulation, list[Measure]]]
    quick: bool = False


def worst(case: Case, seeds: Sequence[int]) -> list[Measure]:
    """Each measure's worst value over the seeds."""
    found: list[Measure] = []
    for seed in seeds:
        measures = case.run(seed)[1]
        if not found:
            found = measures
        pairs = zip(found, measures, strict=True)
        found = [min(a, b, key=lambda m: m.value if m.at_least else -m.value) for a, b in pairs]
    return found


def steady(simulation: Simulation, link_bps: float, start_s: float, end_s: float, name: str = "") -> list[Measure]:
    delivered = simulation.delivered_bps(start_s, end_s) / best_rung_bps(link_bps)
    return [
        Measure(f"{name}delivered, of the best rung", delivered, 1.0, at_least=True),
        Measure(f"{name}queue, p95", simulation.queue_ms(95, start_s, end_s), 70, "ms"),
    ]


def start(seed: int) -> tuple[Simulation, list[Measure]]:
    simulation = Simulation(Conditions([(0, 4 * MBIT)]), seed=seed).run(10)
    return simulation, [Measure("top rung", never(simulation.rung_after_s(TOP, 0)), 2, "s")]


def never(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def constant(bps: int) -> Case:
    def run(seed: int) -> tuple[Simulation, list[Measure]]:
        simulation = Simulation(Conditions([(0, bps)]), seed=seed).run(STEADY_S)
        return simulation, [
            *steady(simulation, bps, WARM_UP_S, STEADY_S),
            Measure("changes a minute", simulation.changes_a_minute(WARM_UP_S, STEADY_S), 4),
            Measure("padding", 100 * simulation.padding_share(), 3, "%"),
        ]

    return Case(f"steady on {bps / MBIT:g} Mbit/s", run, quick=bps in (600_000, 2_500_000))


def drop(before: float, after: float, queue_ms: int, bar_s: float) -> Case:
    def run(seed: int) -> tuple[Simulation, list[Measure]]:
        rates = [(0, round(before * MBIT)), (20 * SECOND, round(after * MBIT))]
        simulation = Simulation(Conditions(rates, queue_us=queue_ms * 1000), seed=seed).run(40)
        return simulation, [Measure("queue below 60 ms after", simulation.queue_below_after_s(60, 20), bar_s, "s")]

    return Case(f"{before:g} → {after:g} Mbit/s, queue of {queue_ms} ms", run, quick=queue_ms == 300)


def rise(before: float, after: float, bar_s: float) -> Case:
    def run(seed: int) -> tuple[Simulation, list[Measure]]:
        rates = [(0, round(before * MBIT)), (30 * SECOND, round(after * MBIT))]
        simulation = Simulation(Conditions(rates), seed=seed).run(50)
        return simulation, [Measure("top rung", never(simulation.rung_after_s(TOP, 30)), bar_s, "s")]

    return Case(f"{before:g} → {after:g} Mbit/s", run, quick=True)


def variable(seed: int) -> tuple[Simulation, list[Measure]]:
    """RFC 8867 section 5.1: one flow, variable capacity."""
    steps = ((0, 1.0), (40, 2.5), (60, 0.6), (80, 1.0))
    rates = [(at * SECOND, round(mbit * MBIT)) for at, mbit in steps]
    simulation = Simulation(Conditions(rates), [Plan(one_way_us=50_000)], seed).run(100)
    measures: list[Measure] = []
    for (at, mbit), end in zip(steps, (40, 60, 80, 100), strict=True):
        measures += steady(simulation, mbit * MBIT, at + (WARM_UP_S if not at else 3), end, f"{mbit:g} Mbit/s: ")
    return simulation, measures


def competing(seed: int) -> tuple[Simulation, list[Measure]]:
    """RFC 8867 section 5.4: three flows that start 20 s apart."""
    plans = [Plan(50_000, [(at * SECOND, 120 * SECOND)]) for at in (0, 20, 40)]
    simulation = Simulation(Conditions([(0, 3_500_000)]), plans, seed).run(120)
    return simulation, fairness(simulation, 43, 120, 0.95)


def round_trips(seed: int) -> tuple[Simulation, list[Measure]]:
    """RFC 8867 section 5.5: five flows with round trips of 20 to 300 ms that start 10 s apart."""
    delays_us = (10_000, 25_000, 50_000, 100_000, 150_000)
    plans = [Plan(us, [(10 * at * SECOND, 300 * SECOND)]) for at, us in enumerate(delays_us)]
    simulation = Simulation(Conditions([(0, 4_000_000)]), plans, seed).run(300)
    return simulation, fairness(simulation, 43, 300, 0.90)


def fairness(simulation: Simulation, start_s: float, end_s: float, bar: float) -> list[Measure]:
    rates = [simulation.delivered_bps(start_s, end_s, flow) for flow in range(len(simulation.flows))]
    return [
        Measure("Jain's index", jain(rates), bar, at_least=True),
        Measure("queue, p95", simulation.queue_ms(95, start_s, end_s), 70, "ms"),
    ]


def paused(seed: int) -> tuple[Simulation, list[Measure]]:
    """RFC 8867 section 5.8: three flows, of which one pauses from 40 to 60 s."""
    active = [(0, 40 * SECOND), (60 * SECOND, 120 * SECOND)]
    plans = [Plan(50_000), Plan(50_000, active), Plan(50_000)]
    simulation = Simulation(Conditions([(0, 3_500_000)]), plans, seed).run(120)
    return simulation, fairness(simulation, 63, 120, 0.95)


def lossy(percent: int, bar: float) -> Case:
    def run(seed: int) -> tuple[Simulation, list[Measure]]:
        simulation = Simulation(Conditions([(0, MBIT)], loss=percent / 100), seed=seed).run(STEADY_S)
        return simulation, [delivered(simulation, bar)]

    return Case(f"loss of {percent} % on 1 Mbit/s", run, quick=percent == 10)


def delivered(simulation: Simulation, bar: float) -> Measure:
    share = simulation.delivered_bps(WARM_UP_S, STEADY_S) / best_rung_bps(MBIT)
    return Measure("delivered, of the best rung", share, bar, at_least=True)


def stalling(milliseconds: int, bar: float) -> Case:
    def run(seed: int) -> tuple[Simulation, list[Measure]]:
        conditions = Conditions([(0, MBIT)], stall_us=milliseconds * 1000)
        simulation = Simulation(conditions, seed=seed).run(STEADY_S)
        return simulation, [delivered(simulation, bar)]

    return Case(f"stalls of {milliseconds} ms on 1 Mbit/s", run, quick=milliseconds == 15)


def storm(seed: int) -> tuple[Simulation, list[Measure]]:
    """A viewer sends a NACK for each missing packet every 20 ms; the link's rate falls below the stream's bit rate."""
    rates = [(0, 4 * MBIT), (20 * SECOND, 600_000)]
    simulation = Simulation(Conditions(rates), [Plan(storm=True)], seed).run(20)
    before = simulation.flows[0].server.sent_bytes
    simulation.run(50)
    sent = (simulation.flows[0].server.sent_bytes - before) * 8 / 30
    return simulation, [Measure("sent, of the link", sent / 600_000, 1.3)]


def cases() -> Iterator[Case]:
    yield Case("start on 4 Mbit/s", start, quick=True)
    for bps in (300_000, 400_000, 600_000, 1_000_000, 1_500_000, 2_500_000, 4_000_000):
        yield constant(bps)
    for before, after, bars in ((3, 0.6, 3.0), (4, 1, 3.0), (1, 0.4, 3.5)):
        for queue_ms in (150, 300, 600):
            yield drop(before, after, queue_ms, bars)
    yield rise(0.4, 4, 8)
    yield rise(0.6, 3, 5)
    yield Case("RFC 8867 5.1, variable capacity", variable, quick=True)
    yield Case("RFC 8867 5.4, three flows", competing)
    yield Case("RFC 8867 5.5, five round-trip times", round_trips)
    yield Case("RFC 8867 5.8, pause and resume", paused)
    for percent, bar in ((2, 1.0), (5, 1.0), (10, 0.6)):
        yield lossy(percent, bar)
    for milliseconds, bar in ((5, 1.0), (15, 0.95), (30, 0.7)):
        yield stalling(milliseconds, bar)
    yield Case("NACK storm", storm, quick=True)
