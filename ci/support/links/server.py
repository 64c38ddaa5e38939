"""The server's side of one viewer: the compiled estimator and allocator, and a model of switching, pacing, repairs."""

from __future__ import annotations

from collections import deque

from fanwire.fastpath.testing.cc import PAUSED, Allocator, Estimator

from .publisher import FRAME_US, Publisher

REPAIRS_EACH = 3
CACHE_PACKETS = 512


class Server:
    """Chooses and paces the packets of one viewer; `wire` takes (transport seq, media seq or -1, bytes, time)."""

    def __init__(self, publisher: Publisher):
        self.publisher = publisher
        self.estimator = Estimator(1)
        costs = [encoding.bps for encoding in publisher.encodings]
        self.allocator = Allocator([(costs, 1, len(costs) - 1)])
        self.costs = costs
        self.target = self.current = PAUSED
        self.changes: list[tuple[int, int]] = []  # (time, rung wanted)
        self.sent_bytes = self.probe_bytes = self.repair_bytes = 0
        self.outbox: list[tuple[int, int, int]] = []  # transport seq, media seq, bytes: for the link now
        self._seq = 0
        self._media_seq = 0
        self._queue: deque[tuple[int, int]] = deque()  # media seq, bytes: behind the pacer
        self._cache: dict[int, list[int]] = {}  # media seq: bytes, repairs
        self._frame = 0

    def _send(self, media_seq: int, size: int, kind: str, now_us: int) -> None:
        self.estimator.sent(self._seq & 0xFFFF, size, kind, now_us)
        self.outbox.append((self._seq, media_seq, size))
        self._seq += 1
        self.sent_bytes += size

    def frames(self, frames: list[tuple[list[int], bool]], now_us: int) -> None:
        """The publisher's frames of one moment, by encoding."""
        self._frame += 1
        if self.target != self.current and self.target != PAUSED:
            if frames[self.target][1]:
                if self.target < self.current:
                    self._queue.clear()
                self.current = self.target
            else:
                self.publisher.encodings[self.target].request_keyframe(now_us)
        if self.current == PAUSED or not self._flows(now_us):
            return
        for size in frames[self.current][0]:
            self._queue.append((self._media_seq, size))
            self._cache[self._media_seq] = [size, 0]
            self._cache.pop(self._media_seq - CACHE_PACKETS, None)
            self._media_seq += 1

    def _flows(self, now_us: int) -> bool:
        """While a smaller encoding is awaited: only the old one's lowest temporal layer, nothing where even that is
        more than 1.5 times the estimate."""
        if self.target >= self.current:
            return True
        return self._frame % 2 == 0 and self.costs[self.current] * 0.6 <= 1.5 * self.estimator.estimate_bps

    def step(self, now_us: int) -> int | None:
        """Sends the packets due. Returns the time of the next call."""
        estimator = self.estimator
        estimator.tick(now_us)
        open_us: int | None = None
        while self._queue:
            media_seq, size = self._queue[0]
            open_us = estimator.pace(size, now_us)
            if open_us is not None:
                break
            self._queue.popleft()
            self._send(media_seq, size, "media", now_us)
        while (size := estimator.probe_bytes(now_us)) > 0:
            self._send(-1, size, "probe", now_us)
            self.probe_bytes += size
        self._allocate(now_us)
        deadlines = [us for us in (open_us, estimator.next_us()) if us is not None]
        return min(deadlines) if deadlines else None

    def _allocate(self, now_us: int) -> None:
        estimator = self.estimator
        changed = self.allocator.run(
            estimator.estimate_bps, now_us, queue_us=estimator.queue_us, loss_permille=estimator.loss_permille
        )
        estimator.set_needs(self.allocator.needs_bps)
        if not changed:
            return
        self.target = self.allocator.rungs_given[0]
        self.changes.append((now_us, self.target))
        if self.target == PAUSED:
            self.current = PAUSED
            self._queue.clear()
        elif self.target != self.current:
            self.publisher.encodings[self.target].request_keyframe(now_us - FRAME_US)

    def feedback(self, first: int, arrivals_us: list[int | None], now_us: int) -> None:
        self.estimator.feedback(first & 0xFFFF, arrivals_us, now_us)

    def repair(self, media_seqs: list[int], now_us: int) -> None:
        for media_seq in media_seqs:
            packet = self._cache.get(media_seq)
            if packet is None or packet[1] >= REPAIRS_EACH or not self.estimator.repair(packet[0], now_us):
                continue
            packet[1] += 1
            self.repair_bytes += packet[0]
            self._send(media_seq, packet[0], "retransmission", now_us)
