"""A publisher that sends too much harms neither the worker nor others: bit rate and share of the pool are bounded."""

from __future__ import annotations

from ci.support.scenario.packet import Packet
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import OPUS, VP8, consumer, producer
from ci.support.scenario.viewer import FIRST_SEQ, Viewer
from ci.support.scenario.world import World

SPEC = producer(VP8)
BPS = 2_000_000


def flood(world: World, publisher: Publisher, *, packets_per_s: int, payload_bytes: int, ssrc: int = 0x10) -> None:
    """Media of so many packets a second, with consecutive numbers."""
    sent = 0

    def send() -> bool:
        nonlocal sent
        for _ in range(packets_per_s // 100):
            payload = (
                b"\x10" + bytes(payload_bytes - 1) if sent else b"\x10\x00\x00\x00\x9d\x01\x2a" + bytes(payload_bytes)
            )
            publisher.send_rtp(bytes(Packet(ssrc, 96, sent & 0xFFFF, sent // 10 * 3000 & 0xFFFFFFFF, payload)))
            sent += 1
        return True

    world.every(10_000, send)


def test_what_exceeds_the_rate_is_dropped_and_twice_the_rate_passes_for_a_second() -> None:
    with World() as world:
        publisher = Publisher(world, publish_bps=BPS)
        publisher.publish(producer(VP8, extensions={}, encodings=SPEC.encodings))
        world.run(0.2)
        flood(world, publisher, packets_per_s=500, payload_bytes=1000 - 12 - 16)  # 4 Mbit/s, twice the rate
        world.run(0.9)
        assert world.drops() == {}
        world.run(9.1)
        counters = world.counters()
        assert counters["drop_publish_rate"] > 0
        passed = counters["rtp_in"] - counters["drop_publish_rate"]
        assert 0.95 * 11 * BPS / 8000 < passed < 1.05 * 11 * BPS / 8000  # ten seconds, and the burst of one


def test_a_publisher_within_its_rate_loses_nothing() -> None:
    with World() as world:
        publisher = Publisher(world, publish_bps=BPS)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), publisher.publish(SPEC), SPEC)
        world.run(0.2)
        publisher.source(SPEC, ssrc=0x10, packets_per_frame=6, payload_bytes=1100).start()  # 1.3 Mbit/s
        world.run(10)
        assert viewer.streams[1].missing() == []
        assert world.drops() == {}


def test_others_keep_a_second_of_retransmissions() -> None:
    """One publisher sends as many packets in a second as the pool has slots, four times over."""
    with World(pool_packets=4096) as world:
        good, bad = Publisher(world), Publisher(world)
        sound = producer(OPUS, mid="a")
        ids = good.publish(SPEC), good.publish(sound)
        bad.publish(producer(VP8, extensions={}))
        viewer = Viewer(world, asks=False)
        viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), ids[0], SPEC)
        viewer.watch(consumer(OPUS, ssrc=3), ids[1], sound)
        world.run(0.2)
        good.source(SPEC, ssrc=0x20, rtx_ssrc=0x21).start()
        good.source(sound, ssrc=0x22).start()
        flood(world, bad, packets_per_s=16_000, payload_bytes=100)
        world.run(3)
        assert world.counters()["drop_pool_share"] > 0
        received = viewer.streams[1]
        old = next(number for number, at in sorted(received.arrivals_us.items()) if at > world.now_us - 950_000)
        viewer.nack(1, [old])
        world.run(0.1)
        assert old >= FIRST_SEQ
        assert set(received.repaired) == {old}
        assert received.missing() == []
        assert viewer.streams[3].missing() == []
