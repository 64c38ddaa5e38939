"""Feeds a clip into the engine in real time, over and over: all publishers send the same."""

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
    """A clip on its way into the engine. `producers`, by kind, are what consumers are bound to."""

    def __init__(self, engine: CallingEngine, clip: Clip, feeds: list[_Feed]) -> None:
        self._engine = engine
        self._clip = clip
        self._feeds = feeds

    @classmethod
    async def add(cls, engine: CallingEngine, clip: Clip) -> Source:
        """Make the engine's producers of a clip."""
        feeds = []
        for track, codec in ((clip.video, Codec.VP8), (clip.audio, Codec.OPUS)):
            if track is not None:
                packetizer = Packetizer(codec)
                feeds.append(_Feed(track, packetizer, await engine.add_source(packetizer.spec)))
        return cls(engine, clip, feeds)

    @property
    def producers(self) -> Mapping[Kind, tuple[ProducerId, ProducerSpec]]:
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
        """What is due in one turn of the clip: frames, and reports of the clock, in the order of time."""
        due: list[tuple[float, _Feed | None, int, bytes]] = [
            (ticks / feed.track.clock_hz, feed, ticks, frame)
            for feed in self._feeds
            for ticks, frame in feed.track.frames
        ]
        due += [(second * _REPORT_EVERY_S, None, 0, b"") for second in range(int(self._clip.length_s) or 1)]
        return sorted(due, key=lambda entry: entry[0])

    def _report(self, start_s: float) -> None:
        """Tell each track's clock now, on which picture and sound agree."""
        passed_s, now = time.monotonic() - start_s, ntp(time.time())
        for feed in self._feeds:
            timestamp = feed.packetizer.timestamp(round(passed_s * feed.track.clock_hz))
            self._engine.feed_report(feed.producer, now, timestamp)
