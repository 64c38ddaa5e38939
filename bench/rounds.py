"""The rounds of bench.fanout: worker and floor in turn, and what comes out of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from .figures import Figures
from .floor import Floor
from .options import Options
from .stage import Stage, stage
from .usage import CpuTime, machine
from .verify import Verified, verify

VERIFY_PACKETS = 800  # to each subscriber


@dataclass(frozen=True, slots=True)
class Round:
    """A pass of the worker and one of the floor beside it."""

    cpu: CpuTime
    sent: int
    floor_ns: int
    floor_sent: int

    @property
    def cpu_ns_per_packet(self) -> float:
        return self.cpu.total_ns / self.sent

    @property
    def floor_ns_per_packet(self) -> float:
        return self.floor_ns / self.floor_sent


def measure(options: Options) -> Figures:
    """Verifies, then measures; takes about 2 µs a packet and round, and a few seconds. Raises Mismatch."""
    checked = verify(
        crowd=options.verify_subscribers,
        bursts=max(1, VERIFY_PACKETS // options.k),
        burst=options.k,
        payload_bytes=options.payload_bytes,
        profile=options.srtp,
    )
    with stage(
        crowd=options.subscribers, burst=options.k, payload_bytes=options.payload_bytes, profile=options.srtp
    ) as on:
        on.settle()
        captured = on.subscribers[0].receive_rtp()[: options.k]
        with closing(Floor(on.subscribers, captured)) as floor:
            # Not counted: the subscribers' buffers fill up. Nobody reads them while time is taken.
            _round(on, floor, options.bursts, False)
            before = on.worker.counters()
            rounds = [_round(on, floor, options.bursts, i % 2 == 1) for i in range(options.rounds)]
            now = on.worker.counters()
            counted = {name: now[name] - before[name] for name in now}
            return _figures(options, rounds, counted, on.bytes_a_subscriber, floor.packets_a_message(), checked)


def _round(on: Stage, floor: Floor, bursts: int, floor_first: bool) -> Round:
    floor_ns, floor_sent = floor.send(bursts) if floor_first else (0, 0)
    sent, cpu = on.worker.counters()["rtp_out"], on.cpu()
    for _ in range(bursts):
        on.forward()
    on.settle()
    used = on.cpu().since(cpu)
    sent = on.worker.counters()["rtp_out"] - sent
    if not floor_first:
        floor_ns, floor_sent = floor.send(bursts)
    return Round(used, sent, floor_ns, floor_sent)


def _figures(
    options: Options,
    rounds: Sequence[Round],
    counted: dict[str, int],
    bytes_a_subscriber: float,
    floor_packets_a_message: float,
    checked: Verified,
) -> Figures:
    expected = options.rounds * options.bursts * options.k * options.subscribers
    sent = counted["rtp_out"] - counted["udp_send_would_block"] - counted["udp_send_refused"]
    cpu_ns = statistics.median(each.cpu_ns_per_packet for each in rounds)
    ratios = [each.cpu_ns_per_packet / each.floor_ns_per_packet for each in rounds]
    lower, middle, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    user_ticks = sum(each.cpu.user_ticks for each in rounds)
    system_ticks = sum(each.cpu.system_ticks for each in rounds)
    user_share = user_ticks / max(1, user_ticks + system_ticks)
    return Figures(
        machine=machine(),
        options=options,
        cpu_ns_per_packet=cpu_ns,
        user_ns_per_packet=cpu_ns * user_share,
        system_ns_per_packet=cpu_ns * (1 - user_share),
        floor_ns_per_packet=statistics.median(each.floor_ns_per_packet for each in rounds),
        ratio_to_floor=middle,
        ratio_quartiles=(lower, upper),
        packets_per_cpu_second=1e9 / cpu_ns,
        memory_bytes_per_subscriber=bytes_a_subscriber,
        packets_expected=expected,
        packets_sent=sent,
        loss=1 - sent / expected,
        packets_per_message=counted["udp_packets_out"] / counted["udp_messages_out"],
        floor_packets_per_message=floor_packets_a_message,
        verified=checked,
    )
