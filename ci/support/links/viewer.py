"""A viewer: sends transport-wide feedback as libwebrtc does, and NACKs."""

from __future__ import annotations

import heapq

REPORT_BITS = 68 * 8
NACK_TRIES = 10


class Viewer:
    """Receives from one flow. `storm`: asks for each missing packet every 20 ms, whatever the round trip."""

    def __init__(self, round_trip_us: int, storm: bool = False):
        self.delivered: list[tuple[int, int]] = []  # (time, bytes) of media that came for the first time
        self._round_trip_us = round_trip_us
        self._storm = storm
        self._coming: list[tuple[int, int, int, int]] = []  # arrival, transport seq, media seq, bytes
        self._arrivals: dict[int, int] = {}  # transport seq: arrival; the last 1000
        self._pending: list[int] = []
        self._next_seq = 0  # statuses up to here are reported
        self._highest_media = -1
        self._missing: dict[int, tuple[int, int]] = {}  # media seq: tries, next time
        self._received_bytes = 0
        self._reported_us = 0
        self._bps = 300_000.0

    def expect(self, arrival_us: int, seq: int, media_seq: int, size: int) -> None:
        heapq.heappush(self._coming, (arrival_us, seq, media_seq, size))

    def _take_in(self, now_us: int) -> None:
        while self._coming and self._coming[0][0] <= now_us:
            arrival_us, seq, media_seq, size = heapq.heappop(self._coming)
            self._received_bytes += size
            self._arrivals[seq] = arrival_us
            self._pending.append(seq)
            if media_seq < 0:
                continue
            if media_seq > self._highest_media:
                for missing in range(max(self._highest_media + 1, media_seq - 200), media_seq):
                    self._missing[missing] = (0, arrival_us)
                self._highest_media = media_seq
            elif self._missing.pop(media_seq, None) is None:
                continue
            self.delivered.append((arrival_us, size))

    def report(self, now_us: int) -> tuple[int, list[int | None]] | None:
        """The feedback due now: its first transport sequence number (not wrapped) and arrivals."""
        self._take_in(now_us)
        if not self._pending:
            return None
        first, last = min(min(self._pending), self._next_seq), max(self._pending)
        first = max(first, last - 1000)
        self._pending.clear()
        self._next_seq = max(self._next_seq, last + 1)
        statuses = [self._arrivals.get(seq) for seq in range(first, last + 1)]
        if len(self._arrivals) > 2000:
            self._arrivals = {seq: us for seq, us in self._arrivals.items() if seq > last - 1000}
        return first, statuses

    def report_interval_us(self, now_us: int) -> int:
        """5 % of the received bit rate, 50 to 250 ms, as libwebrtc's feedback generator has it."""
        passed_us = max(1, now_us - self._reported_us)
        weight = min(1.0, passed_us / 500_000)
        self._bps += weight * (self._received_bytes * 8_000_000 / passed_us - self._bps)
        self._received_bytes, self._reported_us = 0, now_us
        return int(min(250_000, max(50_000, REPORT_BITS * 1e6 / (0.05 * self._bps + 1))))

    def nacks(self, now_us: int) -> list[int]:
        self._take_in(now_us)
        wanted = []
        for media_seq, (tries, next_us) in list(self._missing.items()):
            if next_us > now_us:
                continue
            if tries >= NACK_TRIES:
                del self._missing[media_seq]
                continue
            wanted.append(media_seq)
            wait_us = 0 if self._storm else max(20_000, self._round_trip_us)
            self._missing[media_seq] = (tries + 1, now_us + wait_us)
        return wanted
