"""Viewers on other workers than their publisher: packets, reports and keyframe requests travel, and all look alike."""

from __future__ import annotations

from ci.support.scenario.peer import ntp_at
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    AddRelayedProducer,
    AddRelayTarget,
    Encoding,
    Extension,
    RemoveProducer,
    RemoveRelayTarget,
)

RIDS = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
SPEC = producer(VP8, extensions=RIDS, encodings=[Encoding("q"), Encoding("f")])


def copies(world: World, video: int, nodes: int) -> dict[int, int]:
    """The producer as each worker knows it."""
    known = {0: video}
    for node in range(1, nodes):
        known[node] = world.submit(AddRelayedProducer(0, video, SPEC), node)
        world.submit(AddRelayTarget(video, node, known[node]), 0)
    return known


def seen(received: Received) -> list[tuple[int, int, int, bytes]]:
    start = min(received.packets)
    first = received.packets[start].timestamp
    return [
        (number - start, (packet.timestamp - first) & 0xFFFFFFFF, packet.marker, packet.payload)
        for number, packet in sorted(received.packets.items())
    ]


def test_viewers_on_every_worker_see_the_same() -> None:
    with World(seed=3, nodes=3) as world:
        publisher = Publisher(world)
        known = copies(world, publisher.publish(SPEC), 3)
        viewers = [Viewer(world, node=node) for node in (0, 1, 1, 2)]
        for viewer in viewers:
            viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), known[viewer.node], SPEC)
        world.run(0.5)
        low = publisher.source(SPEC, ssrc=0x20, rtx_ssrc=0x30, rid="q", label=1, size=(320, 180)).start()
        world.run(0.1)
        with publisher.up.bad():
            world.run(2)
            high = publisher.source(SPEC, ssrc=0x21, rtx_ssrc=0x31, rid="f", label=2).start()
            world.run(6)
        world.run(0.1)
        for source in (low, high):
            source.stop()
        world.run(1)
        one, *others = [seen(viewer.streams[1]) for viewer in viewers]
        assert len(one) > 500
        assert {tag.label for tag in viewers[0].streams[1].tags()} == {1, 2}
        assert all(other == one for other in others)
        for viewer in viewers:
            received = viewer.streams[1]
            assert len(received.reports) >= 7
            offset = received.wall_clock(received.ordered()[-1]) - viewers[0].streams[1].wall_clock(
                viewers[0].streams[1].ordered()[-1]
            )
            assert abs(offset) < 0.001
        # Only what was overtaken by the start of the other encoding is too late, if anything is.
        assert (world.drops(1) | world.drops(2)).keys() <= {"drop_late_for_consumer"}
        # The same packet crosses once for each worker, not for each viewer.
        assert world.counters(0)["relay_out"] == 2 * world.counters(1)["relay_in"]


def test_keyframe_requests_travel_home_and_losses_are_repaired_where_the_viewer_is() -> None:
    with World(nodes=2) as world:
        publisher = Publisher(world)
        known = copies(world, publisher.publish(SPEC), 2)
        world.run(0.2)
        source = publisher.source(SPEC, ssrc=0x20, rid="q").start()
        world.run(3)
        viewer = Viewer(world, node=1)
        viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), known[1], SPEC)
        world.run(1.5)
        received = viewer.streams[1]
        assert len(source.requests_us) == 1
        assert received.tags()[0].index == 0
        viewer.ask_keyframe(1)
        world.run(1)
        assert len(source.requests_us) == 2
        viewer.nack(1, [received.highest - 5, received.highest - 6])
        world.run(1)
        assert len(received.rtx) == 2
        assert world.counters(0)["rtx_out"] == 0
        assert world.counters(1)["rtx_out"] == 2


def test_the_first_viewer_on_another_worker_starts_at_once_too() -> None:
    with World(nodes=2) as world:
        publisher = Publisher(world)
        video = publisher.publish(SPEC)
        world.run(0.2)
        source = publisher.source(SPEC, ssrc=0x20, rid="q").start()
        world.run(1.5)
        viewer = Viewer(world, node=1)
        viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), copies(world, video, 2)[1], SPEC)
        world.run(2)
        received = viewer.streams[1]
        assert source.requests_us == []
        frames = [tag.frame for tag in received.tags() if tag.index == 0]
        assert frames == list(range(1, frames[-1] + 1))
        assert frames[-1] >= source.frame - 2
        assert received.missing() == []
        behind_s = ntp_at(received.arrivals_us[received.highest]) / 2**32 - received.wall_clock(received.ordered()[-1])
        assert behind_s <= 0.1  # it has caught up
        assert world.drops(0) == world.drops(1) == {}


def test_a_worker_that_is_taken_off_gets_nothing_more() -> None:
    with World(nodes=2) as world:
        publisher = Publisher(world)
        known = copies(world, publisher.publish(SPEC), 2)
        viewer = Viewer(world, node=1)
        viewer.watch(consumer(VP8, ssrc=1), known[1], SPEC)
        world.run(0.2)
        publisher.source(SPEC, ssrc=0x20, rid="q").start()
        world.run(1)
        assert world.error(AddRelayTarget(known[0], 1, known[1])) == 3  # twice would send every packet twice
        world.submit(RemoveRelayTarget(known[0], 1, known[1]))
        world.run(0.1)
        count = len(viewer.streams[1].packets)
        world.run(1)
        assert len(viewer.streams[1].packets) == count
        # What is still under way to a copy that has gone is dropped and counted.
        world.submit(AddRelayTarget(known[0], 1, known[1]))
        world.submit(RemoveProducer(known[1]), 1)
        world.run(0.1)
        assert set(world.drops(1)) == {"drop_relay_stale"}


def test_a_copy_follows_its_producer_to_another_ssrc() -> None:
    with World(nodes=2) as world:
        publisher = Publisher(world)
        known = copies(world, publisher.publish(SPEC), 2)
        viewers = [Viewer(world, node=node) for node in (0, 1)]
        for viewer in viewers:
            viewer.watch(consumer(VP8, ssrc=1), known[viewer.node], SPEC)
        world.run(0.2)
        publisher.source(SPEC, ssrc=0x20, rid="q", label=1, seq=50_000).start()
        world.run(2)
        publisher.sources.pop(0x20).stop()
        publisher.source(SPEC, ssrc=0x21, rid="q", label=2, seq=9, timestamp=77).start()
        world.run(2)
        assert seen(viewers[0].streams[1]) == seen(viewers[1].streams[1])
        assert viewers[1].streams[1].tags()[-1].label == 2
        assert viewers[1].streams[1].missing() == []
