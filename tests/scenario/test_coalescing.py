"""Media that waits a little for more to go with: as long as forwarding is dear, within the bound, and never lost."""

from __future__ import annotations

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Encoding

BOUND_US = 2000
LINK_US = 10_000


def call(world: World) -> tuple[Source, Received]:
    publisher, viewer = Publisher(world), Viewer(world)
    spec = producer(VP8, encodings=[Encoding(ssrc=0x10)])
    video = publisher.publish(spec)
    viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), video, spec)
    world.run(0.2)
    return publisher.source(spec, ssrc=0x10, packets_per_frame=1), viewer.streams[1]


def delays_us(world: World, source: Source, received: Received) -> list[int]:
    """What the core added to each of three packets, the second and third 0.5 and 3 ms behind the first."""
    known, sent_us = set(received.arrivals_us), [world.now_us + 100_000 + offset for offset in (0, 500, 3000)]
    for time_us in sent_us:
        world.at(time_us, source.send_frame)
    world.run(0.2)
    arrivals = sorted(at for number, at in received.arrivals_us.items() if number not in known)
    return [arrival - time - 2 * LINK_US for arrival, time in zip(arrivals, sent_us, strict=True)]


def test_media_waits_for_no_longer_than_forwarding_takes_nor_than_the_bound() -> None:
    with World(coalesce_us=BOUND_US) as world:
        source, received = call(world)
        delays_us(world, source, received)
        for spent_us, waits_us in ((0, 0), (300, 300), (1200, 1200), (50_000, BOUND_US)):
            world.nodes[0].sandbox.note_round(spent_us)
            second = max(0, waits_us - 500) if waits_us > 500 else waits_us
            assert delays_us(world, source, received) == [waits_us, second, waits_us]


def test_without_a_bound_media_never_waits() -> None:
    with World() as world:
        source, received = call(world)
        world.nodes[0].sandbox.note_round(50_000)
        assert delays_us(world, source, received) == [0, 0, 0]


def test_a_full_batch_waits_no_longer_and_nothing_of_it_is_lost() -> None:
    with World(coalesce_us=BOUND_US) as world:
        source, received = call(world)
        source.send_frame()
        world.run(0.2)
        world.nodes[0].sandbox.note_round(50_000)
        before = len(received.packets)
        start_us = world.now_us
        for _ in range(300):
            source.send_frame()
        world.run(0.2)
        assert len(received.packets) - before == 300
        assert min(at for at in received.arrivals_us.values() if at > start_us) == start_us + 2 * LINK_US
        assert world.drops() == {}
