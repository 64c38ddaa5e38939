"""The trials of bench.fanout: passes of the workers, the floor and a single worker in turn, and their figures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from .figures import Figures
from .floor import Floor
from .options import Options
from .scene import Scene, open_scene
from .usage import CpuTime, machine
from .verify import Verified, verify

VERIFY_PACKETS = 800  # to each subscriber


@dataclass(frozen=True, slots=True)
class Pass:
    """CPU time and packets sent of one side in one trial."""

    cpu: CpuTime
    sent: int

    @property
    def ns_per_packet(self) -> float:
        return self.cpu.total_ns / self.sent


@dataclass(frozen=True, slots=True)
class Trial:
    """One pass of the workers, the floor, and the single worker."""

    workers: Pass
    floor: Pass
    alone: Pass | None  # one worker, where there are several


def measure(options: Options, backend: str) -> Figures:
    """Verifies, then measures; takes about 2 µs a packet and trial, and a few seconds. Raises Mismatch."""
    checked = verify(
        options.scene_spec(crowd=options.verify_subscribers, workers=min(options.workers, options.verify_subscribers)),
        max(1, VERIFY_PACKETS // options.k),
    )
    with ExitStack() as stack:
        scene = stack.enter_context(open_scene(options.scene_spec(crowd=options.subscribers, workers=options.workers)))
        alone = None
        if options.workers > 1:
            alone = stack.enter_context(open_scene(options.scene_spec(crowd=options.subscribers, workers=1)))
        scene.workers.settle()
        captured = scene.subscribers[0].receive_rtp()[: options.k]
        for peer in [*scene.subscribers, *(alone.subscribers if alone else ())]:
            peer.read_no_more()
        floor = stack.enter_context(closing(Floor(scene.subscribers, captured)))
        # Not counted: to warm up.
        _trial(scene, floor, alone, options.bursts, 0)
        before = scene.workers.counters()
        trials = [_trial(scene, floor, alone, options.bursts, i) for i in range(options.trials)]
        counted = scene.workers.counters()
        counted.subtract(before)
        return _figures(options, backend, trials, counted, scene.bytes_a_subscriber, floor.packets_a_message(), checked)


def _trial(scene: Scene, floor: Floor, alone: Scene | None, bursts: int, turn: int) -> Trial:
    """Runs one pass of each side; the order rotates with `turn`."""
    done: dict[object, Pass] = {}
    sides: list[Scene | Floor] = [scene, floor] if alone is None else [scene, alone, floor]
    turn %= len(sides)
    for side in sides[turn:] + sides[:turn]:
        done[side] = _forward(side, bursts) if isinstance(side, Scene) else Pass(*side.send(bursts))
    return Trial(done[scene], done[floor], None if alone is None else done[alone])


def _forward(scene: Scene, bursts: int) -> Pass:
    sent, cpu = scene.workers.count("rtp_out"), scene.workers.cpu()
    for _ in range(bursts):
        scene.forward()
    scene.workers.settle()
    return Pass(scene.workers.cpu().since(cpu), scene.workers.count("rtp_out") - sent)


def _figures(
    options: Options,
    backend: str,
    trials: Sequence[Trial],
    counted: dict[str, int],
    bytes_a_subscriber: float,
    floor_packets_a_message: float,
    checked: Verified,
) -> Figures:
    expected = options.trials * options.bursts * options.k * options.subscribers
    sent = counted["rtp_out"] - counted["udp_send_would_block"] - counted["udp_send_refused"]
    cpu_ns = statistics.median(each.workers.ns_per_packet for each in trials)
    ratios = [each.workers.ns_per_packet / each.floor.ns_per_packet for each in trials]
    lower, middle, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    to_one = [each.workers.ns_per_packet / each.alone.ns_per_packet for each in trials if each.alone is not None]
    user_share = sum((each.workers.cpu for each in trials), CpuTime(0, 0, 0)).user_share
    return Figures(
        machine=machine(),
        options=options,
        backend_used=backend,
        cpu_ns_per_packet=cpu_ns,
        user_ns_per_packet=cpu_ns * user_share,
        system_ns_per_packet=cpu_ns * (1 - user_share),
        floor_ns_per_packet=statistics.median(each.floor.ns_per_packet for each in trials),
        ratio_to_floor=middle,
        ratio_quartiles=(lower, upper),
        ratio_to_one_worker=statistics.median(to_one) if to_one else None,
        packets_per_cpu_second=1e9 / cpu_ns,
        memory_bytes_per_subscriber=bytes_a_subscriber,
        packets_expected=expected,
        packets_sent=sent,
        loss=1 - sent / expected,
        packets_per_message=counted["udp_packets_out"] / counted["udp_messages_out"],
        floor_packets_per_message=floor_packets_a_message,
        verified=checked,
    )
