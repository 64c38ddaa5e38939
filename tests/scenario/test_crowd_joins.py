"""Crowds that join while media flows: each viewer is live soon, and nobody falls further behind."""

from __future__ import annotations

from typing import Any

import pytest

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Path

SPEC = producer(VP8)
LINKS_US = 20_000  # from the publisher to the core, and from there to a viewer
LIVE_US = 100_000
SAMPLED = 12


class Bystander(Viewer):
    """A viewer that takes load off the test: it counts RTP packets and decrypts none."""

    def __init__(self, world: World, **options: Any) -> None:
        super().__init__(world, **options)
        self.rtp = 0

    def carry_down(self, path: Path, data: bytes) -> None:
        if data[0] >> 6 == 2 and not 192 <= data[1] < 224:
            self.rtp += 1
        else:
            super().carry_down(path, data)


def broadcast(world: World, packets_per_s: int, *, gop_us: int = 0) -> tuple[Source, int]:
    """A source of 25 frames a second, with a keyframe every `gop_us` or only when asked; and its producer."""
    publisher = Publisher(world)
    video = publisher.publish(SPEC)
    world.run(0.2)
    source = publisher.source(SPEC, ssrc=0x10, packets_per_frame=packets_per_s // 25, payload_bytes=40)

    def refresh() -> bool:
        source.keyframe_due = True
        return True

    if gop_us:
        world.every(gop_us, refresh)
    source.start()
    return source, video


def join(viewer: Viewer, video: int) -> None:
    viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), video, SPEC)


def lags_us(received: Received, started_us: int, interval_us: int) -> list[tuple[int, int]]:
    """Of each packet in order: when it arrived, and how far behind the live edge it was."""
    arrivals = [received.arrivals_us[number] for number in sorted(received.packets)]
    return [
        (at, at - LINKS_US - started_us - (tag.frame - 1) * interval_us)
        for at, tag in zip(arrivals, received.tags(), strict=True)
    ]


@pytest.mark.parametrize(
    ("viewers", "packets_per_s", "packet_ns", "gop_us", "within_us"),
    [
        pytest.param(300, 1200, 1000, 2_000_000, 1_000_000, id="fast start of all would take more than the worker has"),
        pytest.param(300, 1200, 2000, 2_000_000, 1_000_000, id="live packets alone take three quarters of the worker"),
        pytest.param(300, 1200, 1000, 0, 1_000_000, id="keyframes come only when asked for"),
        pytest.param(400, 300, 500, 2_000_000, 1_000_000, id="the worker has time for all"),
        pytest.param(300, 600, 4000, 2_000_000, 1, id="all at once, before the worker knows how dear packets are"),
    ],
)
def test_newcomers_are_live_soon_and_never_further_behind(
    viewers: int, packets_per_s: int, packet_ns: int, gop_us: int, within_us: int
) -> None:
    with World(seed=viewers, pool_packets=16384, packet_ns=packet_ns) as world:
        source, video = broadcast(world, packets_per_s, gop_us=gop_us)
        started_us = world.now_us
        first = Viewer(world, asks=False)
        join(first, video)
        settled = first.streams[1]
        world.run(1.6)
        sampled: list[tuple[int, Viewer]] = []
        others: list[Bystander] = []
        for number in range(viewers):

            def come(number: int = number) -> None:
                if number % (viewers // SAMPLED) == 0:
                    sampled.append((world.now_us, Viewer(world, asks=False)))
                    join(sampled[-1][1], video)
                else:
                    others.append(Bystander(world, asks=False))
                    join(others[-1], video)

            world.after(world.chance.randrange(within_us), come)
        world.run(4.5)
        for joined_us, viewer in sampled:
            received = viewer.streams[1]
            assert received.missing() == []
            lags = lags_us(received, started_us, source.interval_us)
            assert max(lag for _, lag in lags) <= max(lags[0][1], LIVE_US) + 60_000
            assert max(lag for at, lag in lags if at > joined_us + 3_000_000) <= LIVE_US
            assert received.tags()[-1].frame >= source.frame - 3
        assert min(viewer.rtp for viewer in others) >= packets_per_s  # of at least 3.5 s
        # A live packet waits for the live packets before it and for one slice of fast start.
        live_us = [lag for at, lag in lags_us(settled, started_us, source.interval_us) if at > started_us + 1_000_000]
        assert max(live_us) <= packets_per_s // 25 * (viewers + 1) * packet_ns // 1000 + 3000
        assert world.drops() == {}
