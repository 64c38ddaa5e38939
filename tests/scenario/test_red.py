"""Redundant audio (RFC 2198): passed with the viewer's numbers, or taken apart for viewers that have none."""

from __future__ import annotations

from ci.support.scenario.packet import red
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import OPUS, RED, consumer, producer
from ci.support.scenario.viewer import Viewer
from ci.support.scenario.world import World


def test_red_is_renumbered_or_stripped_to_its_newest_block() -> None:
    with World() as world:
        publisher, spec = Publisher(world), producer(RED, OPUS)
        audio = publisher.publish(spec)
        modern, old, deaf = Viewer(world), Viewer(world), Viewer(world)
        modern.watch(consumer(RED, OPUS, ssrc=1), audio, spec)
        old.watch(consumer(OPUS, ssrc=1), audio, spec)
        deaf.watch(consumer(RED, ssrc=1), audio, spec)
        world.run(0.2)
        source = publisher.source(spec, ssrc=0x10)
        for number in range(1, 30):
            blocks = [(111, 960 * back, b"opus%d" % (number - back)) for back in (2, 1) if number > back]
            source.send_payload(red(111, b"opus%d" % number, *blocks), marker=number == 1)
            world.run(0.02)
        plain = publisher.source(spec, OPUS.codec, ssrc=0x10, seq=source.seq)
        plain.send_payload(b"opus30")
        world.run(0.1)
        sent = [packet.payload for packet in source.history.values()]
        assert [p.payload for p in modern.streams[1].ordered()] == [
            *(payload.replace(b"\xef", b"\xf9").replace(b"\x6fopus", b"\x79opus") for payload in sent),
            b"opus30",
        ]
        assert [p.payload for p in old.streams[1].ordered()] == [b"opus%d" % number for number in range(1, 31)]
        assert {p.pt for p in old.streams[1].ordered()} == {121}
        assert [p.pt for p in modern.streams[1].ordered()] == [53] * 29 + [121]
        assert len(deaf.streams[1].packets) == 29
        for viewer in (modern, old, deaf):
            assert viewer.streams[1].missing() == []
