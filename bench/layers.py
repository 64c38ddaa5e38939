"""Measures what choosing layers costs: `python -m bench.layers --help`."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from fanwire.fastpath.messages import SetLayers

from .command import backend_option, option, run
from .layered import SPATIAL_LAYERS, Av1, Opaque, Simulcast, TwoRates, Vp9
from .media import Stream
from .options import PROFILES
from .printing import Row, as_text
from .scene import Scene, SceneSpec, open_scene
from .usage import machine

DESCRIPTION = """Forwards streams with layers to subscribers of whom each gets a part, and in every pass every other one
switches; and in turn a plain stream (H264, of which nothing is rewritten and all is forwarded) in packets of the same
size, as many for each subscriber and flush. What counts is CPU time of the worker's thread per packet that it sends,
with all that it does about those that it does not send. Exit status 1: other packets were sent than the layers have."""
PAYLOAD_BYTES = 1200
MOST_SUBSCRIBERS, MOST_K = 10_000, 16


@dataclass(frozen=True, slots=True)
class Case:
    """A stream, and the two choices that subscribers switch between; of a burst each gets k packets, if any."""

    name: str
    what: str
    stream: type[Stream]
    choices: tuple[dict[str, int | None], ...] = ()
    burst_of_eight: int = 8  # packets in a burst where k is 8

    def scene_spec(self, options: Options) -> SceneSpec:
        burst = self.burst_of_eight * options.k // 8
        return SceneSpec(
            options.subscribers, burst, PAYLOAD_BYTES, PROFILES[options.profile], stream=self.stream, one_port=True
        )


_RATES: tuple[dict[str, int | None], ...] = ({"encoding": None, "temporal": 1}, {"encoding": None, "temporal": 0})
_BELOW_HIGHEST = tuple({**rate, "spatial": SPATIAL_LAYERS - 2} for rate in _RATES)
PLAIN = Case("plain", "plain: H264", Opaque)
CASES = (
    Case("vp8_temporal", "VP8, temporal layers", TwoRates, _RATES),
    Case("simulcast", "VP8, simulcast", Simulcast, ({"encoding": 0}, {"encoding": 1}), 16),
    Case("vp9_svc", "VP9, SVC", Vp9, _BELOW_HIGHEST, 10),
    Case("av1_svc", "AV1, SVC by descriptor", Av1, _BELOW_HIGHEST, 10),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters of the measurement."""

    subscribers: int = option(500, "how many, of each stream")
    k: int = option(8, "packets per subscriber and flush: 4, 8, 12 or 16")
    profile: str = option("gcm128", "SRTP profile", PROFILES)
    backend: str = backend_option()
    trials: int = option(20, "a pass of each stream is one; fewer say little")
    packets: int = option(100_000, "packets forwarded in a pass, about")

    @property
    def bursts(self) -> int:
        """Of one pass; an even number."""
        return 2 * max(1, self.packets // (2 * self.subscribers * self.k))

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        if not 4 <= self.subscribers <= MOST_SUBSCRIBERS or self.subscribers % 4:
            return f"--subscribers goes from 4 to {MOST_SUBSCRIBERS}, in steps of 4"
        if not 4 <= self.k <= MOST_K or self.k % 4:
            return f"--k goes from 4 to {MOST_K}, in steps of 4"
        return None if self.trials >= 1 else "--trials goes from 1"


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over the trials: ns of the worker thread's CPU time per packet sent, and the trials' ratios to plain."""

    ns_per_packet: float
    ratio: float
    sent: int
    expected: int


@dataclass(frozen=True, slots=True)
class LayersFigures:
    """The cost of each case; `cases` has the plain stream too."""

    machine: str
    options: Options
    backend_used: str
    cases: dict[str, Cost]
    largest_ratio: float

    @property
    def failed(self) -> bool:
        """Other packets were sent than the layers have."""
        return any(cost.sent != cost.expected for cost in self.cases.values())

    def text(self) -> str:
        """The figures as text."""
        o = self.options
        rows: list[Row] = []
        for case in (PLAIN, *CASES):
            cost = self.cases[case.name]
            rows.append((case.what, f"{cost.ns_per_packet:.0f} ns", f"{cost.ratio:.2f}, {cost.sent} packets"))
        head = f"{o.subscribers} subscribers, {o.k} packets a flush, {o.profile}, {self.backend_used}"
        return as_text(self.machine, f"{head}, {o.trials} trials; CPU a packet, and its ratio to plain", rows)


class Side:
    """One case in its scene, pass by pass."""

    def __init__(self, case: Case, scene: Scene, k: int) -> None:
        self.case, self._scene, self._k = case, scene, k
        self._turn = 0
        self._chosen = [0] * len(scene.consumers)
        self.ns: list[float] = []
        self.sent = self.expected = 0
        if case.choices:
            self._choose(range(len(scene.consumers)))

    def forward(self, bursts: int) -> None:
        """A pass: half of the subscribers switch, then come so many bursts."""
        workers = self._scene.workers
        before, cpu = workers.count("rtp_out"), workers.cpu()
        rising = self._switch() if self.case.choices else 0
        expected = 0
        for number in range(bursts):
            takers = self._takers(number)
            if self.case.stream is Simulcast and number == 0:
                self._scene.stream.keyframe_due = True
                takers += rising  # they get the first encoding until the keyframe of the second, in the same burst
            self._scene.forward(takers * self._k)
            expected += takers * self._k
        workers.settle()
        sent = workers.count("rtp_out") - before
        self.ns.append(workers.cpu().since(cpu).total_ns / sent)
        self.sent += sent
        self.expected += expected

    def _takers(self, number: int) -> int:
        """Subscribers that get k packets of that burst."""
        alternates = "temporal" in (self.case.choices or ({},))[0]
        return self._chosen.count(0) if alternates and number % 2 else len(self._chosen)

    def _switch(self) -> int:
        """Every other subscriber that had been there longest. How many went from the first choice to the second."""
        self._turn += 1
        moved = [i for i in range(len(self._chosen)) if self._choice(i) != self._chosen[i]]
        rising = sum(self._chosen[i] == 0 for i in moved)
        self._choose(moved)
        return rising

    def _choice(self, subscriber: int) -> int:
        return (subscriber + self._turn) // 2 % 2

    def _choose(self, subscribers: Sequence[int]) -> None:
        for i in subscribers:
            self._chosen[i] = self._choice(i)
        choices = [self.case.choices[self._chosen[i]] for i in subscribers]
        self._scene.home.submit(
            SetLayers(self._scene.consumers[i], choice["encoding"], choice.get("spatial"), choice.get("temporal"))
            for i, choice in zip(subscribers, choices, strict=True)
        )

    def start(self) -> None:
        """Reads no more, and begins with a keyframe of the lowest temporal layer; nothing of this counts."""
        self._scene.subscribers[0].read_no_more()  # they share a socket
        self._scene.stream.frame += self._scene.stream.frame % 2
        self._scene.stream.keyframe_due = True
        self.forward(2)
        self.ns.clear()
        self.sent = self.expected = 0


def measure(options: Options, library: str) -> LayersFigures:
    """Takes about three seconds a trial with the default sizes."""
    cases = (PLAIN, *CASES)
    with ExitStack() as stack:
        sides = [Side(case, stack.enter_context(open_scene(case.scene_spec(options))), options.k) for case in cases]
        for side in sides:
            side.start()
        for turn in range(options.trials + 1):
            first = turn % len(sides)
            for side in sides[first:] + sides[:first]:
                side.forward(options.bursts)
    plain = sides[0].ns
    costs = {side.case.name: _cost(side, plain) for side in sides}
    return LayersFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        cases=costs,
        largest_ratio=max(cost.ratio for cost in costs.values()),
    )


def _cost(side: Side, plain: Sequence[float]) -> Cost:
    """Without the first pass, which was to warm up."""
    ratios = [ns / plain_ns for ns, plain_ns in zip(side.ns[1:], plain[1:], strict=True)]
    return Cost(statistics.median(side.ns[1:]), statistics.median(ratios), side.sent, side.expected)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.layers", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
