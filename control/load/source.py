"""Feeds a clip into the engine in real time, in a loop. All publishers send the same clip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..media.calling import CallingEngine
from ..media.engine import Codec, Kind, ProducerId, ProducerSpec
from .clip import Clip, Track
from .packets import Packetizer, ntp

_REPORT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Feed:
    track: Track
    packetizer: Packetizer
    producer: ProducerId


class Source:
    """A clip that is fed into the engine."""

    def __init__(self, engine: CallingEngine, clip: Clip, feeds: list[_Feed]) -> None:
        self._engine = engine
        self._clip = clip
        self._feeds = feeds

    @classmethod
    async def add(cls, engine: CallingEngine, clip: Clip) -> Source:
        """Add a producer for each track of the clip."""
        feeds = []
        for track, codec in ((clip.video, Codec.VP8), (clip.audio, Codec.OPUS)):
            if track is not None:
                packetizer = Packetizer(codec)
                feeds.append(_Feed(track, packetizer, await engine.add_source(packetizer.spec)))
        return cls(engine, clip, feeds)

    @property
    def producers(self) -> Mapping[Kind, tuple[ProducerId, ProducerSpec]]:
        """The producers and their specs, by kind."""
        return {feed.packetizer.spec.kind: (feed.producer, feed.packetizer.spec) for feed in self._feeds}

    async def run(self) -> None:
        """Feed until cancelled."""
        start_s, turn = time.monotonic(), 0
        while True:
            for at_s, feed, ticks, frame in self._turn():
                due_s = start_s + turn * self._clip.length_s + at_s
                if (wait_s := due_s - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                if feed is None:
                    self._report(start_s)
                    continue
                ticks += round(turn * self._clip.length_s * feed.track.clock_hz)
                for packet in feed.packetizer.packets(frame, ticks, time.time()):
                    self._engine.feed(feed.producer, packet)
            turn += 1

    def _turn(self) -> list[tuple[float, _Feed | None, int, bytes]]:
        """One pass of the clip: frames and sender reports (feed None), each with its time in seconds, in order."""
        due: list[tuple[float, _Feed | None, int, bytes]] = [
            (ticks / feed.track.clock_hz, feed, ticks, frame)
            for feed in self._feeds
            for ticks, frame in feed.track.frames
        ]
        due += [(second * _REPORT_EVERY_S, None, 0, b"") for second in range(int(self._clip.length_s) or 1)]
        return sorted(due, key=lambda entry: entry[0])

    def _report(self, start_s: float) -> None:
        """Report the clock of each track, which synchronizes video and audio."""
        passed_s, now = time.monotonic() - start_s, ntp(time.time())
        for feed in self._feeds:
            timestamp = feed.packetizer.timestamp(round(passed_s * feed.track.clock_hz))
            self._engine.feed_report(feed.producer, now, timestamp)
