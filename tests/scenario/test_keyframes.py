"""Requests for keyframes: those of all viewers become few."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from support.scenario.publisher import Publisher, Source
from support.scenario.specs import VP8, consumer, producer
from support.scenario.viewer import Viewer
from support.scenario.world import World


def audience(world: World, count: int, *, interval_us: int) -> tuple[Source, list[Viewer]]:
    """Viewers of a source that runs for 5 s already, so that no request is owed. Its frames are all of one size."""
    publisher, spec = Publisher(world), producer(VP8)
    video = publisher.publish(spec)
    viewers = [Viewer(world) for _ in range(count)]
    for viewer in viewers:
        viewer.watch(consumer(VP8, ssrc=1), video, spec)
    world.run(0.2)
    source = publisher.source(spec, ssrc=0x10, interval_us=interval_us, packets_per_frame=1, payload_bytes=20).start()
    world.run(5)
    assert source.requests_us == []
    return source, viewers


def test_the_first_request_goes_at_once_and_others_when_allowed() -> None:
    with World() as world:
        source, (viewer,) = audience(world, 1, interval_us=20_000)  # so a keyframe is cheap
        source.obeys = False
        asked_us = world.now_us
        for _ in range(9):
            viewer.ask_keyframe(1)
            world.run(0.05)
        world.run(3)
        assert source.requests_us[0] == asked_us + viewer.up.delay_us + source.publisher.down.delay_us
        assert source.requests_us[1] - source.requests_us[0] == 300_000
        for first, _, _, fourth in zip(*(source.requests_us[i:] for i in range(4)), strict=False):
            assert fourth - first >= 3_000_000
        assert world.counters()["keyframe_requests_in"] == 9


@pytest.mark.parametrize(
    ("interval_us", "spacing_us"),
    [(20_000, 300_000), (100_000, 400_000), (500_000, 1_000_000)],
    ids=["cheap", "in between", "dear"],
)
def test_a_thousand_viewers_at_once_are_few_requests_the_fewer_the_dearer(interval_us: int, spacing_us: int) -> None:
    """A frame in so many is a keyframe's share of a second: requests may cost a quarter of that."""
    with World() as world:
        source, viewers = audience(world, 1000, interval_us=interval_us)
        for viewer in viewers:
            world.after(world.chance.randrange(3_000_000), lambda viewer=viewer: viewer.ask_keyframe(1))
        world.run(4)
        assert world.counters()["keyframe_requests_in"] == 1000
        assert 3 <= len(source.requests_us) <= 4
        apart_us = [b - a for a, b in itertools.pairwise(source.requests_us)]
        assert min(apart_us) >= spacing_us * 0.9
        assert apart_us[0] < spacing_us * 1.1 + interval_us  # and no later than it needs to be
        assert all(b - a >= 3_000_000 for a, b in zip(source.requests_us, source.requests_us[3:], strict=False))


def test_a_request_that_no_keyframe_answers_is_repeated() -> None:
    with World() as world:
        source, (viewer,) = audience(world, 1, interval_us=500_000)
        source.obeys = False
        viewer.ask_keyframe(1)
        world.run(2.5)
        assert len(source.requests_us) == 3
        source.keyframe_due = True
        world.run(5)
        assert len(source.requests_us) == 3


def test_fir_is_understood_and_used_where_pli_is_not_agreed() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(dataclasses.replace(VP8, pli=False))
        video = publisher.publish(spec)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), video, spec)
        world.run(0.2)
        source = publisher.source(spec, ssrc=0x10).start()
        world.run(4)
        viewer.ask_keyframe(1, fir=5)
        world.run(1)
        viewer.ask_keyframe(1, fir=6)
        world.run(1)
        firs = [packet["fir"] for _, packet in publisher.of_type(206, 4)]
        assert firs == [[(0x10, 1)], [(0x10, 2)]]
        assert source.keyframes == 3
        assert publisher.of_type(206, 1) == []


def test_a_publisher_that_takes_no_requests_gets_none() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(dataclasses.replace(VP8, pli=False, fir=False))
        video = publisher.publish(spec)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), video, spec)
        world.run(0.2)
        publisher.source(spec, ssrc=0x10).start()
        world.run(1)
        viewer.ask_keyframe(1)
        world.run(5)
        assert publisher.of_type(206) == []
