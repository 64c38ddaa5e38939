"""Requests for keyframes: those of all viewers become few."""

from __future__ import annotations

import dataclasses
import itertools
from functools import partial

import pytest

from ci.support.scenario.packet import Tag
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.testing import probes

SPACING_US = 1_000_000  # FW_KEYFRAME_SPACING_US


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
        assert {b - a for a, b in itertools.pairwise(source.requests_us)} == {SPACING_US}
        assert world.counters()["keyframe_requests_in"] == 9


@pytest.mark.parametrize(
    ("interval_us", "spacing_us"),
    [(20_000, SPACING_US), (400_000, 1_600_000), (600_000, 2_000_000)],
    ids=["cheap", "in between", "dear"],
)
def test_a_thousand_viewers_at_once_are_few_requests_the_fewer_the_dearer(interval_us: int, spacing_us: int) -> None:
    """A frame in so many is a keyframe's share of a second: requests may cost a quarter of that."""
    with World() as world:
        source, viewers = audience(world, 1000, interval_us=interval_us)
        for viewer in viewers:
            world.after(world.chance.randrange(3_000_000), partial(viewer.ask_keyframe, 1))
        world.run(4)
        assert world.counters()["keyframe_requests_in"] == 1000
        apart_us = [b - a for a, b in itertools.pairwise(source.requests_us)]
        assert apart_us
        assert min(apart_us) >= spacing_us * 0.8
        assert apart_us[0] < spacing_us * 1.2 + interval_us  # and no later than it needs to be


def keyframes(received: Received) -> list[int]:
    """The numbers of the keyframes that came, of one packet each."""
    numbers = []
    for packet in received.ordered():
        frame, tag = probes.vp8(packet.payload), Tag.find(packet.payload)
        assert frame is not None
        if frame["keyframe"]:
            assert tag is not None
            numbers.append(tag.frame)
    return numbers


def test_who_asks_soon_after_a_keyframe_is_sent_it_again_and_next_time_a_new_one() -> None:
    with World() as world:
        source, (lossy, other) = audience(world, 2, interval_us=20_000)
        received, undisturbed = lossy.streams[1], other.streams[1]
        other.ask_keyframe(1)
        world.run(0.1)
        [_, new] = keyframes(undisturbed)
        lossy.ask_keyframe(1)  # before that keyframe can have come
        world.run(0.5)
        assert keyframes(received) == [1, new]
        lossy.ask_keyframe(1)
        world.run(0.4)
        assert keyframes(received) == [1, new, new]
        assert len(source.requests_us) == 1
        lossy.ask_keyframe(1)
        world.run(1)
        assert len(source.requests_us) == 2
        assert keyframes(received) == [1, new, *keyframes(undisturbed)[1:]]
        frames = [tag.frame for tag in received.tags()]
        again = frames.index(new, frames.index(new) + 1)
        assert frames == [*range(1, frames[again - 1] + 1), *range(new, source.frame + 1)][: len(frames)]
        assert frames[-1] >= source.frame - 2
        assert received.missing() == []
        ahead = [b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in itertools.pairwise(received.ordered())]
        assert all(0 < ticks <= 2 * 1800 for ticks in ahead)
        assert ahead[-20:] == [1800] * 20  # and with the clock again: neither late nor early for what was repeated
        ticks = undisturbed.ordered()[-1].timestamp - undisturbed.ordered()[0].timestamp & 0xFFFFFFFF
        assert abs(sum(ahead) - ticks) <= 2 * 1800


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
        world.run(1.5)
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
