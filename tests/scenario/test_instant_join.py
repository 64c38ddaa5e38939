"""Newcomers start at a keyframe of the cache, and catch up at a bounded pace."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from typing import Any

import pytest

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.testing import probes

SPEED = 4  # FW_FAST_START_SPEED
TICK_PACKETS = 256
SPEC = producer(VP8)


def broadcast(
    world: World, *, gop_us: int = 0, ssrc: int = 0x10, up: Link | None = None, **options: Any
) -> tuple[Source, int]:
    """A running source, with a keyframe every `gop_us` or only when asked for one; and its producer."""
    publisher = Publisher(world, up=up or Link())
    video = publisher.publish(SPEC)
    world.run(0.2)
    source = publisher.source(SPEC, ssrc=ssrc, rtx_ssrc=ssrc + 1, **options)

    def refresh() -> bool:
        source.keyframe_due = True
        return True

    if gop_us:
        world.every(gop_us, refresh)
    source.start()
    return source, video


def join(world: World, video: int, **options: Any) -> Viewer:
    viewer = Viewer(world, **options)
    viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), video, SPEC)
    return viewer


def is_keyframe(payload: bytes) -> bool:
    frame = probes.vp8(payload)
    return frame is not None and frame["keyframe"]


def check_whole(received: Received, packets_per_frame: int) -> None:
    """From a keyframe's first packet on, every packet of the source in order."""
    assert is_keyframe(received.ordered()[0].payload)
    assert received.missing() == []
    tags = received.tags()
    first = tags[0].frame * packets_per_frame
    assert [tag.frame * packets_per_frame + tag.index - first for tag in tags] == list(range(len(tags)))


def first_picture_us(received: Received, packets_per_frame: int) -> int:
    numbers = sorted(received.packets)[:packets_per_frame]
    return max(received.arrivals_us[number] for number in numbers)


def join_within(world: World, video: int, count: int, seconds: float) -> list[tuple[int, Viewer]]:
    """So many viewers at random times, with the time of each; what has come 3 s after the last."""
    viewers: list[tuple[int, Viewer]] = []
    for _ in range(count):
        world.after(
            world.chance.randrange(round(seconds * 1e6)),
            lambda: viewers.append((world.now_us, join(world, video))),
        )
    world.run(seconds + 3)
    assert len(viewers) == count
    return viewers


def test_a_thousand_joins_cost_no_keyframe_where_the_publisher_sends_one_every_two_seconds() -> None:
    with World() as world:
        source, video = broadcast(world, gop_us=2_000_000, interval_us=100_000, packets_per_frame=2)
        world.run(3)
        assert source.requests_us == []
        viewers = join_within(world, video, 1000, 10)
        assert source.requests_us == []
        for _, viewer in viewers:
            check_whole(viewer.streams[1], 2)
            assert viewer.streams[1].tags()[-1].frame >= source.frame - 1
        took_us = [first_picture_us(viewer.streams[1], 2) - at for at, viewer in viewers]
        assert statistics.median(took_us) <= 500_000
        assert world.drops() == {}


def test_where_keyframes_come_only_when_asked_for_joins_ask_once_in_three_seconds() -> None:
    with World() as world:
        source, video = broadcast(world, interval_us=20_000, packets_per_frame=1, payload_bytes=20)
        world.run(5)
        viewers = join_within(world, video, 200, 10)
        # Those who come within three seconds of a keyframe start at that.
        assert 2 <= len(source.requests_us) <= 4
        assert all(after - before >= 3_000_000 for before, after in itertools.pairwise(source.requests_us))
        for _, viewer in viewers:
            check_whole(viewer.streams[1], 1)


def test_a_newcomer_that_asks_while_its_keyframe_is_on_the_way_costs_none() -> None:
    with World() as world:
        source, video = broadcast(world, packets_per_frame=12)
        world.run(2)
        viewer = join(world, video)
        for _ in range(6):  # Chromium does so until it has a picture
            world.run(0.1)
            viewer.ask_keyframe(1)
        world.run(1)
        assert source.requests_us == []
        check_whole(viewer.streams[1], 12)


def test_full_hd_of_two_seconds_is_kept_and_nobody_waits_for_the_newcomers() -> None:
    newcomers = 40
    with World(pool_packets=16384) as world:
        # 8 Mbit/s: 28 packets of 1190 bytes in each of 30 frames a second
        source, video = broadcast(world, gop_us=2_000_000, interval_us=33_333, packets_per_frame=28, payload_bytes=1190)
        settled = join(world, video).streams[1]
        world.run(7.9)  # just before the fourth keyframe
        joined_us, frame = world.now_us, source.frame
        viewers = [join(world, video) for _ in range(newcomers)]
        world.run(2)
        assert source.requests_us == []
        for viewer in viewers:
            check_whole(viewer.streams[1], 28)
            assert viewer.streams[1].tags()[0].frame < frame - 50
            assert first_picture_us(viewer.streams[1], 28) - joined_us <= 100_000
            assert viewer.streams[1].tags()[-1].frame >= source.frame - 1
        late_us = [b - a for a, b in itertools.pairwise(sorted(set(settled.arrivals_us.values())))]
        assert max(late_us) <= source.interval_us + 1000


def test_off_everyone_waits_for_a_keyframe_of_their_own() -> None:
    with World(instant_join_us=0) as world:
        source, video = broadcast(world)
        world.run(2)
        for already in range(3):
            asked_us = world.now_us
            received = join(world, video).streams[1]
            world.run(1.5)
            assert len(source.requests_us) == already + 1
            assert source.requests_us[-1] >= asked_us
            check_whole(received, 3)
            assert min(received.arrivals_us.values()) > source.requests_us[-1]


def test_what_is_caught_up_with_comes_at_a_pace_and_its_timestamps_run_as_fast() -> None:
    with World() as world:
        source, video = broadcast(world, packets_per_frame=12)  # 300 packets a second
        world.run(2)
        received = join(world, video).streams[1]
        world.run(3)
        check_whole(received, 12)
        assert received.tags()[0].frame == 1
        assert source.requests_us == []
        arrivals = sorted(received.arrivals_us.values())
        frame_us = source.interval_us
        busiest = max(sum(at <= other < at + frame_us for other in arrivals) for at in arrivals)
        assert busiest <= (SPEED + 1) * 12
        # Live after a third of what there was to catch up with, and never late by what a viewer would wait for.
        lag_us = [
            received.arrivals_us[number]
            - ((packet.timestamp - received.ordered()[0].timestamp) & 0xFFFFFFFF) * 100 // 9
            for number, packet in sorted(received.packets.items())
        ]
        assert max(lag_us) - min(lag_us) <= frame_us + 2000
        settled_us = arrivals[0] + 2_000_000 // (SPEED - 1) + 2 * frame_us
        live = [at for at in arrivals if at >= settled_us]
        assert {b - a for a, b in itertools.pairwise(live)} == {0, frame_us}


def test_newcomers_at_once_take_turns_so_that_the_others_are_not_kept_waiting() -> None:
    newcomers = 150
    with World() as world:
        source, video = broadcast(world, packets_per_frame=6)
        settled = join(world, video)
        world.run(1.5)
        viewers = [join(world, video) for _ in range(newcomers)]
        world.run(3)
        assert source.requests_us == []
        sent: Counter[int] = Counter()
        for viewer in viewers:
            check_whole(viewer.streams[1], 6)
            assert viewer.streams[1].tags()[-1].frame >= source.frame - 1
            sent.update(viewer.streams[1].arrivals_us.values())
        joined_us = min(sent)
        # As much at one time as the turn of those who catch up allows, or a frame for all that are live.
        assert max(sent.values()) <= TICK_PACKETS + 6 * newcomers
        assert max(count for at, count in sent.items() if at < joined_us + 100_000) <= TICK_PACKETS
        gaps = itertools.pairwise(sorted(at for at in settled.streams[1].arrivals_us.values() if at > 2_000_000))
        assert {b - a for a, b in gaps} <= {0, source.interval_us}


@pytest.mark.parametrize("seed", range(4))
def test_loss_reordering_and_padding_above_leave_numbers_whole(seed: int) -> None:
    with World(seed=seed) as world:
        source, video = broadcast(
            world, gop_us=2_000_000, interval_us=20_000, packets_per_frame=4,
            up=Link(20_000, 15_000, 0.03, reorders=True),
        )  # fmt: skip

        def pad() -> bool:
            source.send_payload(b"", padding=100)
            return True

        world.every(70_000, pad)
        world.run(1)
        viewers = [viewer for _, viewer in join_within(world, video, 12, 4)]
        source.stop()
        world.run(1)  # for the last repairs
        for viewer in viewers:
            tags = viewer.streams[1].tags()
            assert tags[0].index == 0
            assert viewer.streams[1].missing() == []
            recent = [tag for tag in tags if tag.frame < source.frame - 10]
            assert {(tag.frame, tag.index) for tag in recent} == {
                (frame, index) for frame in range(tags[0].frame, recent[-1].frame + 1) for index in range(4)
            }


def test_who_falls_out_of_the_cache_goes_on_at_a_new_keyframe() -> None:
    with World(pool_packets=2048) as world:
        # Together they fill the pool in 0.25 s, each with less than its share of it.
        crowd = [
            broadcast(world, ssrc=0x20 + 2 * number, interval_us=10_000, packets_per_frame=4)[0] for number in range(20)
        ]
        for each in crowd:
            each.stop()
        source, video = broadcast(world, packets_per_frame=12)
        world.run(2)
        received = join(world, video).streams[1]
        world.run(0.2)
        assert source.requests_us == []
        for each in crowd:
            each.requests_us.clear()
            each.start()
        world.run(2)
        assert len(source.requests_us) == 1
        assert received.missing() == []
        starts = [tag.frame for tag, packet in zip(received.tags(), received.ordered(), strict=True)
                  if tag.index == 0 and is_keyframe(packet.payload)]  # fmt: skip
        assert len(starts) == 2
        frames = [tag.frame for tag in received.tags() if tag.index == 0]
        assert [after for before, after in itertools.pairwise(frames) if after != before + 1] == [starts[1]]
        assert frames[-1] >= source.frame - 2
        assert all(each.requests_us == [] for each in crowd)
