"""The figures that bench.fanout arrives at, and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass

from .options import Options
from .printing import Row, as_text
from .verify import Verified


@dataclass(frozen=True, slots=True)
class Figures:
    """Times are medians over the trials, in ns of the worker threads' CPU time per packet sent."""

    machine: str
    options: Options
    backend_used: str
    cpu_ns_per_packet: float
    user_ns_per_packet: float
    system_ns_per_packet: float
    floor_ns_per_packet: float
    ratio_to_floor: float  # the median of the trials' own ratios
    ratio_quartiles: tuple[float, float]
    ratio_to_one_worker: float | None  # the same, where there are several
    packets_per_cpu_second: float
    memory_bytes_per_subscriber: float
    packets_expected: int
    packets_sent: int
    loss: float  # of what was to be sent, 0 to 1
    packets_per_message: float  # in one GSO message
    floor_packets_per_message: float
    verified: Verified

    @property
    def failed(self) -> bool:
        """Packets were not sent, or did not arrive where somebody read."""
        return self.packets_sent != self.packets_expected or self.verified.incomplete

    def text(self) -> str:
        """The figures as text."""
        o, v = self.options, self.verified
        low, high = self.ratio_quartiles
        parts = f"user {self.user_ns_per_packet:.0f}, system {self.system_ns_per_packet:.0f}"
        rows: list[Row] = [
            ("CPU per forwarded packet", f"{self.cpu_ns_per_packet:.0f} ns", parts),
            ("floor: copies and sends alone", f"{self.floor_ns_per_packet:.0f} ns", ""),
            ("ratio to the floor", f"{self.ratio_to_floor:.2f}", f"half of the trials: {low:.2f} to {high:.2f}"),
            ("packets per CPU second", f"{self.packets_per_cpu_second:.0f}", ""),
            ("memory per subscriber", f"{self.memory_bytes_per_subscriber / 1000:.1f} kB", "in the worker"),
            ("packets per message", f"{self.packets_per_message:.2f}", f"floor: {self.floor_packets_per_message:.2f}"),
            ("packets sent", f"{self.packets_sent}", f"of {self.packets_expected}"),
            ("packets received", f"{v.packets_received}", f"of {v.packets_expected}, in a pass of their own"),
            ("decrypted and compared", f"{v.packets_compared}", "all right"),
        ]
        if self.ratio_to_one_worker is not None:
            rows.insert(3, ("ratio to one worker", f"{self.ratio_to_one_worker:.2f}", f"{o.workers} workers"))
        head = f"{o.subscribers} subscribers, {o.k} packets a flush, payload {o.payload_bytes} B, {o.profile}"
        size = f"{o.trials} trials of {o.bursts * o.k * o.subscribers} packets"
        return as_text(self.machine, f"{head}, {self.backend_used}, {size}", rows)
