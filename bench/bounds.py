"""The bounds that Fanwire is held to, and the goals beyond them."""

from __future__ import annotations

from dataclasses import dataclass

from . import runs
from .runs import Run


@dataclass(frozen=True, slots=True)
class Bound:
    """`figure` of a run, times `scale`, is to be `at_most`."""

    what: str
    run: Run
    figure: str
    at_most: float
    goal: float | None = None
    unit: str = ""
    scale: float = 1.0


BOUNDS = (
    Bound("GCM, ipsec-mb, k = 8, to the floor", runs.K8, "ratio_to_floor", 1.35),
    Bound("GCM, ipsec-mb, k = 4, to the floor", runs.K4, "ratio_to_floor", 1.45),
    Bound("GCM, libcrypto, k = 8, to the floor", runs.K8_LIBCRYPTO, "ratio_to_floor", 1.7),
    Bound("AES-CM, ipsec-mb, k = 8, to the floor", runs.K8_CM, "ratio_to_floor", 1.9),
    Bound("two workers to one, CPU a packet", runs.TWO_WORKERS, "ratio_to_one_worker", 1.1),
    Bound("memory of the core, a subscriber", runs.K8, "memory_bytes_per_subscriber", 4.5, unit="kB", scale=1e-3),
    Bound("live, 2000 subscribers: loss", runs.LIVE_2000, "loss", 0.0, unit="%", scale=100),
    Bound("live, 2000 subscribers: latency, p99", runs.LIVE_2000, "end_to_end_ms.p99", 10.0, unit="ms"),
    Bound("live, 200 subscribers: loss", runs.LIVE_200, "loss", 0.0, unit="%", scale=100),
    Bound("live, 200 subscribers: latency, p99", runs.LIVE_200, "end_to_end_ms.p99", 2.0, unit="ms"),
    Bound("repaired packet to a sent one", runs.NACK, "ratio", 1.3),
    Bound("repaired twice within an RTT", runs.NACK, "repaired_twice", 0, unit="packets"),
    Bound("VP8, temporal layers, to plain", runs.LAYERS, "cases.vp8_temporal.ratio", 1.15),
    Bound("VP8, simulcast, to plain", runs.LAYERS, "cases.simulcast.ratio", 1.15),
    Bound("VP9, SVC, to plain", runs.LAYERS, "cases.vp9_svc.ratio", 1.15),
    Bound("AV1, SVC by descriptor, to plain", runs.LAYERS, "cases.av1_svc.ratio", 1.15),
    Bound("10 000 quiet viewers, of a core", runs.IDLE, "core_share", 50, unit="%", scale=100),
    Bound("200 WHEP viewers, bursts of 10", runs.VIEWERS_10, "cpu_us_per_packet", 0.75, 0.6, "us"),
    Bound("200 WHEP viewers, bursts of 4", runs.VIEWERS_4, "cpu_us_per_packet", 1.0, unit="us"),
    Bound("200 WHEP viewers, latency, p99", runs.VIEWERS_10, "latency_ms.p99", 18, 2, "ms"),  # mediasoup's
    Bound("a WHEP viewer's memory, of 2000", runs.VIEWERS_2000, "kb_per_viewer", 40, 40, "kB"),
    Bound("a WHEP viewer's join, CPU", runs.JOINS, "cpu_ms_per_join", 1.5, 1.5, "ms"),
    Bound("latency while 1000 join, p99", runs.JOINS, "storm_latency_ms.p99", 5, unit="ms"),
)
