"""Sums the statistics of all clients of a test, read from the engine at a bounded rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..media.engine import Kind, StreamStatistics, TransportStatistics
from .client import Client
from .packets import NTP_1970_S

_READS_PER_S = 500  # bounds the CPU time that reading takes from the clients
_CAPTURE_FRESH_US = 1_000_000


@dataclass(slots=True)
class Received:
    """Totals of the media that viewers have received."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0  # and not recovered by retransmission
    repaired: int = 0
    nacks: int = 0
    plis: int = 0
    frames: int = 0
    freezes: int = 0
    frozen_s: float = 0.0
    viewers_frozen: int = 0
    viewers_without_media: int = 0
    longest_still_s: float = 0.0

    def add(self, statistics: TransportStatistics) -> None:
        """Add the statistics of one viewer."""
        streams = [stream for stream in statistics.streams if not stream.outbound]
        for stream in streams:
            self.packets += stream.packets
            self.bytes += stream.bytes
            self.lost += max(0, stream.lost - stream.recovered_packets)
            self.repaired += stream.recovered_packets
            self.nacks += stream.nacks
            self.plis += stream.plis
        freezes = sum(map(self._add_video, [stream for stream in streams if stream.kind is Kind.VIDEO]))
        self.viewers_frozen += freezes > 0
        self.viewers_without_media += all(stream.packets == 0 for stream in streams)

    def _add_video(self, stream: StreamStatistics) -> int:
        """Add one video stream. Returns its freezes, with one that has not ended yet."""
        still = stream.frames > 0 and stream.still_us > 500_000
        freezes = stream.freezes + still
        self.frames += stream.frames
        self.freezes += freezes
        self.frozen_s += (stream.frozen_us + still * stream.still_us) / 1e6
        self.longest_still_s = max(self.longest_still_s, stream.longest_still_us / 1e6)
        return freezes


@dataclass(slots=True)
class Sent:
    """Totals of the media that publishers have sent, with the loss in the server's RTCP reports."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    repaired: int = 0

    def add(self, statistics: TransportStatistics) -> None:
        """Add the statistics of one publisher."""
        for stream in statistics.streams:
            if stream.outbound:
                self.packets += stream.packets
                self.bytes += stream.bytes
                self.lost += max(0, stream.lost)
                self.repaired += stream.repaired_packets


@dataclass(slots=True)
class Measure:
    """Reads the clients in turn, and keeps the latest statistics of each. `latencies_s` samples the capture delay."""

    clients: list[Client] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    _latest: dict[Client, TransportStatistics] = field(default_factory=dict)

    async def run(self) -> None:
        """Read until cancelled: each client once a second, or less often where that exceeds _READS_PER_S."""
        while True:
            start_s = time.monotonic()
            for client in list(self.clients):
                await self._read(client)
                await asyncio.sleep(1 / _READS_PER_S)
            await asyncio.sleep(max(0.0, start_s + 1 - time.monotonic()))

    async def read_all(self) -> None:
        """Read every client once more."""
        for client in list(self.clients):
            await self._read(client)

    def latest(self, clients: Iterable[Client]) -> Sequence[TransportStatistics]:
        """The latest statistics of these clients."""
        return [self._latest[client] for client in clients if client in self._latest]

    async def _read(self, client: Client) -> None:
        statistics = await client.statistics()
        if statistics is None:
            return
        self._latest[client] = statistics
        # Capture delays compare the sender's wall clock with the worker's clock, which is CLOCK_MONOTONIC.
        offset_us = (time.time() + NTP_1970_S - time.monotonic()) * 1e6
        for stream in statistics.streams:
            fresh = stream.kind is Kind.VIDEO and stream.frames > 0 and stream.still_us < _CAPTURE_FRESH_US
            if fresh and not stream.outbound and stream.capture_delay_us is not None:
                self.latencies_s.append((stream.capture_delay_us + offset_us) / 1e6)
