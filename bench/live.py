"""Live media through the workers, in real time: what it costs, and how late it is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanwire.fastpath.testing.replay import Replay

from . import live_schedule
from .live_schedule import Frame
from .options import Options
from .percentiles import Percentiles, of_histogram, of_values
from .printing import Row, as_text
from .samples import Sample, lateness_ms, spread
from .scene import Scene, open_scene
from .usage import machine, stay_aside

SAMPLED = 20
READ_EVERY_S = 0.02
LEAD_US = 200_000  # before the first packet


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """CPU time is that of the worker threads; latencies are in ms."""

    machine: str
    options: Options
    backend_used: str
    cpu_ns_per_packet: float
    user_ns_per_packet: float
    system_ns_per_packet: float
    core_share: float  # of one core, 0 to 1 for one worker
    packets_per_second: float
    packets_expected: int
    packets_sent: int
    loss: float  # of what was to be sent, 0 to 1
    packets_per_message: float  # in one GSO message
    sampled_expected: int
    sampled_received: int
    in_server_ms: Percentiles  # from the start of a worker's round until the kernel has the packet
    end_to_end_ms: Percentiles  # from the publisher's system call until the packet is in the subscriber's socket

    @property
    def failed(self) -> bool:
        """Packets were not sent, or did not arrive where somebody read."""
        return self.packets_sent != self.packets_expected or self.sampled_received != self.sampled_expected

    def text(self) -> str:
        """The figures as text."""
        o = self.options
        parts = f"user {self.user_ns_per_packet:.0f}, system {self.system_ns_per_packet:.0f}"
        rows: list[Row] = [
            ("CPU per forwarded packet", f"{self.cpu_ns_per_packet:.0f} ns", parts),
            ("share of a core", f"{self.core_share:.1%}", f"{o.workers} worker(s)"),
            ("packets per second", f"{self.packets_per_second:.0f}", ""),
            ("packets per message", f"{self.packets_per_message:.2f}", ""),
            ("in the server, p50", f"{self.in_server_ms.p50:.2f} ms", f"p99 {self.in_server_ms.p99:.2f}"),
            ("end to end, p50", f"{self.end_to_end_ms.p50:.2f} ms", f"p99 {self.end_to_end_ms.p99:.2f}"),
            ("packets sent", f"{self.packets_sent}", f"of {self.packets_expected}"),
            ("packets received", f"{self.sampled_received}", f"of {self.sampled_expected}, by those that read"),
        ]
        what = f"video of {o.bps / 1e6:g} Mbit/s" if o.live == "video" else "audio"
        head = f"{o.subscribers} subscribers, {what} for {o.seconds} s, {o.profile}, {self.backend_used}"
        return as_text(self.machine, head, rows)


def measure(options: Options, backend: str) -> LiveFigures:
    """Takes `options.seconds`, and a few more."""
    frames = (
        live_schedule.video(options.bps, options.seconds)
        if options.live == "video"
        else live_schedule.audio(options.seconds)
    )
    with open_scene(options.scene_spec(crowd=options.subscribers, workers=options.workers)) as scene:
        scene.workers.settle()
        for peer in scene.subscribers:
            peer.read_no_more()
        # Sequence numbers are not encrypted: they tell which of the publisher's packets this one was.
        places = spread(options.subscribers, SAMPLED)
        samples = [Sample(scene.subscribers[i].sock, scene.first_seqs[i] + scene.published & 0xFFFF) for i in places]
        load = _load(scene, frames)
        stay_aside()
        before, latency, cpu, started = _counted(scene), _latency(scene), scene.workers.cpu(), time.monotonic()
        load.start()
        _read_for(samples, options.seconds + LEAD_US / 1e6)
        sent_ns = load.join()
        scene.workers.settle()
        elapsed, used = time.monotonic() - started, scene.workers.cpu().since(cpu)
        counted = {name: count - before[name] for name, count in _counted(scene).items()}
        passed = [now - then for now, then in zip(_latency(scene), latency, strict=True)]
        _read_for(samples, READ_EVERY_S)
        bounds = scene.workers.units[0].worker.latency().bounds_us
    sent = counted["rtp_out"] - counted["udp_send_would_block"] - counted["udp_send_refused"]
    expected = len(sent_ns) * options.subscribers
    late_ms = lateness_ms(samples, sent_ns)
    cpu_ns = used.total_ns / max(1, sent)
    return LiveFigures(
        machine=machine(),
        options=options,
        backend_used=backend,
        cpu_ns_per_packet=cpu_ns,
        user_ns_per_packet=cpu_ns * used.user_share,
        system_ns_per_packet=cpu_ns * (1 - used.user_share),
        core_share=used.total_ns / 1e9 / elapsed,
        packets_per_second=sent / options.seconds,
        packets_expected=expected,
        packets_sent=sent,
        loss=1 - sent / expected,
        packets_per_message=counted["udp_packets_out"] / max(1, counted["udp_messages_out"]),
        sampled_expected=len(sent_ns) * len(samples),
        sampled_received=len(late_ms),
        in_server_ms=of_histogram(bounds, passed, 1e-3),
        end_to_end_ms=of_values(late_ms),
    )


def _load(scene: Scene, frames: Sequence[Frame]) -> Replay:
    datagrams = [
        (LEAD_US + due_us, scene.publisher.ip, scene.publisher.protect(packet))
        for frame in frames
        for due_us, packet in zip(frame.due_us, scene.stream.next_frame(frame.sizes), strict=True)
    ]
    return Replay(scene.publisher.sock, scene.home.address, datagrams)


def _read_for(samples: Sequence[Sample], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(READ_EVERY_S)
        for sample in samples:
            sample.read()


def _counted(scene: Scene) -> Mapping[str, int]:
    return scene.workers.counters()


def _latency(scene: Scene) -> list[int]:
    """The histograms of all workers together."""
    return [sum(counts) for counts in zip(*(unit.worker.latency().counts for unit in scene.workers.units), strict=True)]
