"""What a packet becomes on its way from the publisher to each viewer, and whose packet it is taken for."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from ci.support.scenario.packet import Packet
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import AV1, H264, OPUS, PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import FIRST_SEQ, FIRST_TIMESTAMP, Viewer
from ci.support.scenario.wiretap import extend
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    AddRelayTarget,
    BindConsumer,
    Encoding,
    Extension,
    OpenTransport,
    ReadStatistics,
    RemoveConsumer,
    RemoveProducer,
    SetKeys,
    SrtpProfile,
)


@pytest.mark.parametrize("profile", list(SrtpProfile))
def test_each_viewer_gets_its_own_unbroken_numbers(profile: SrtpProfile) -> None:
    with World() as world:
        publisher = Publisher(world, profile=profile)
        spec = producer(VP8)
        video = publisher.publish(spec)
        source = publisher.source(spec, ssrc=0x1111)
        viewers = [Viewer(world, profile=profile) for _ in range(3)]
        for number, viewer in enumerate(viewers):
            viewer.watch(consumer(VP8, ssrc=0x2000 + number), video, spec)
        world.run(0.2)
        source.start()
        world.run(4)
        sent = list(source.history.values())
        for number, viewer in enumerate(viewers):
            received = viewer.streams[0x2000 + number]
            assert len(received.packets) > 250
            assert min(received.packets) == FIRST_SEQ
            assert received.missing() == []
            assert {packet.pt for packet in received.packets.values()} == {106}
            first = received.ordered()[0]
            assert first.timestamp == FIRST_TIMESTAMP
            for before, after in zip(sent, received.ordered(), strict=False):
                passed = (before.timestamp - sent[0].timestamp) & 0xFFFFFFFF
                assert (after.timestamp - first.timestamp) & 0xFFFFFFFF == passed
                assert (after.payload, after.marker) == (before.payload, before.marker)


def test_extensions_are_written_anew_for_each_viewer() -> None:
    stays = {
        Extension.RID: b"h",
        Extension.LAYERS_ALLOCATION: b"\x01\x02",
        Extension.VIDEO_TIMING: bytes(13),
    }
    passes = {
        Extension.VIDEO_ORIENTATION: b"\x01",
        Extension.PLAYOUT_DELAY: b"\x00\x10\x20",
        Extension.COLOR_SPACE: bytes(range(28)),
    }
    published = PUBLISHED_EXTENSIONS | {kind: 20 + kind for kind in stays | passes}
    watched = {kind: 60 - kind for kind in Extension}
    narrow = {kind: number for number, kind in enumerate([Extension.MID, *stays, *passes, Extension.ABS_SEND_TIME], 1)}
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8, extensions=published)
        video = publisher.publish(spec)
        source = publisher.source(spec, ssrc=0x1111)
        modern, old = Viewer(world), Viewer(world)
        modern.watch(consumer(VP8, ssrc=1, extensions=watched), video, spec)
        old.watch(consumer(VP8, ssrc=2, extensions=narrow, mixed_extensions=False), video, spec)
        world.run(0.2)
        source.send_frame()
        for _ in range(2):
            source.send_payload(
                b"\x90\xe0\x80\x01\x01\x00\x11", extensions={published[k]: v for k, v in (stays | passes).items()}
            )
        world.run(0.2)
        *_, before, last = modern.streams[1].ordered()
        assert last.two_byte
        assert {watched[kind]: value for kind, value in passes.items()}.items() <= last.extensions.items()
        own = {watched[kind] for kind in (Extension.MID, Extension.ABS_SEND_TIME, Extension.TRANSPORT_CC)}
        assert set(last.extensions) == own | {watched[kind] for kind in passes}
        assert last.extensions[watched[Extension.MID]] == b"0"
        numbers = [int.from_bytes(p.extensions[watched[Extension.TRANSPORT_CC]], "big") for p in (before, last)]
        assert numbers[1] - numbers[0] == 1
        # Without extmap-allow-mixed only what fits the one-byte form goes: the colour space is too long.
        *_, last = old.streams[2].ordered()
        assert not last.two_byte
        assert last.extensions[narrow[Extension.PLAYOUT_DELAY]] == b"\x00\x10\x20"
        assert set(last.extensions) == {
            narrow[kind]
            for kind in (
                Extension.MID,
                Extension.ABS_SEND_TIME,
                Extension.VIDEO_ORIENTATION,
                Extension.PLAYOUT_DELAY,
            )
        }


def test_the_send_time_is_that_of_the_server() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8)
        video = publisher.publish(spec)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), video, spec)
        world.run(0.2)
        publisher.source(spec, ssrc=0x1111).start()
        world.run(70)
        received = viewer.streams[1]
        for number, packet in received.packets.items():
            sent_us = received.arrivals_us[number] - viewer.down.delay_us
            assert int.from_bytes(packet.extensions[9], "big") == (sent_us % 64_000_000 << 18) // 1_000_000


def test_transport_wide_numbers_have_no_gaps_over_all_that_a_viewer_gets() -> None:
    with World() as world:
        publisher = Publisher(world)
        video, audio = producer(VP8), producer(OPUS, mid="a")
        ids = publisher.publish(video), publisher.publish(audio)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), ids[0], video)
        viewer.watch(consumer(OPUS, ssrc=3), ids[1], audio)
        viewer.down.drops = lambda data: data[3] == 0x10 and data[8:12] == bytes([0, 0, 0, 1])
        world.run(0.2)
        publisher.source(video, ssrc=0x11).start()
        publisher.source(audio, ssrc=0x12, interval_us=20_000, packets_per_frame=1).start()
        world.run(5)
        numbers = [int.from_bytes(packet.extensions[5], "big") for packet in viewer.order]
        extended = [numbers[0]]
        for number in numbers[1:]:
            extended.append(extend(extended[-1], number))
        assert extended[0] == 65_530
        assert len(viewer.streams[1].rtx) == viewer.down.lost > 0
        assert len(extended) + viewer.down.lost == max(extended) - min(extended) + 1
        assert len(set(extended)) == len(extended)


def test_ssrcs_are_learnt_from_mid_and_rid() -> None:
    ids = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
    with World() as world:
        publisher = Publisher(world)
        front = producer(VP8, mid="f", extensions=ids, encodings=[Encoding("q"), Encoding("h")])
        back = producer(VP8, mid="b", extensions=ids)
        ids_of = publisher.publish(front), publisher.publish(back)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), ids_of[0], front)
        viewer.watch(consumer(VP8, ssrc=2), ids_of[1], back)
        world.run(0.2)
        sources = [
            publisher.source(front, ssrc=0x10, rtx_ssrc=0x20, rid="q", label=1, size=(320, 180)),
            publisher.source(front, ssrc=0x11, rtx_ssrc=0x21, rid="h", label=2, size=(640, 360)),
            publisher.source(back, ssrc=0x12, rtx_ssrc=0x22, label=3),
        ]
        for source in sources:
            source.start()
        world.run(2)
        for source in sources:
            source.probe()
        world.run(1)
        streams = world.nodes[0].sandbox.submit(ReadStatistics(publisher.transport), world.now_us).statistics
        assert streams is not None
        assert {(s.ssrc, s.width) for s in streams.streams} == {(0x10, 320), (0x11, 640), (0x12, 1280)}
        assert all(s.repaired_packets == 1 for s in streams.streams)
        assert {tag.label for tag in viewer.streams[1].tags()} == {1, 2}
        assert viewer.streams[1].tags()[-1].label == 2
        assert {tag.label for tag in viewer.streams[2].tags()} == {3}
        assert world.drops() == {}


def test_without_mid_the_payload_type_tells_the_producer() -> None:
    with World() as world:
        publisher = Publisher(world)
        video, audio = producer(H264, extensions={}), producer(OPUS, mid="", extensions={})
        ids = publisher.publish(video), publisher.publish(audio)
        viewer = Viewer(world)
        viewer.watch(consumer(H264, ssrc=1), ids[0], video)
        viewer.watch(consumer(OPUS, ssrc=2), ids[1], audio)
        world.run(0.2)
        publisher.source(video, ssrc=0x10, label=1).start()
        publisher.source(audio, ssrc=0x11, label=2).start()
        world.run(1)
        assert {tag.label for tag in viewer.streams[1].tags()} == {1}
        assert {tag.label for tag in viewer.streams[2].tags()} == {2}


def test_one_transport_may_use_only_so_many_ssrcs() -> None:
    with World(max_ssrcs=4) as world:
        publisher = Publisher(world)
        spec = producer(VP8)
        video = publisher.publish(spec)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), video, spec)
        world.run(0.2)
        publisher.source(spec, ssrc=0x10).start()
        world.run(0.1)
        for ssrc in range(0x100, 0x200):
            publisher.send_rtp(bytes(Packet(ssrc, 120, 1, 1, b"?")))
        world.run(1)
        assert world.drops() == {"drop_unknown_ssrc": 3, "drop_ssrc_limit": 256 - 3}
        assert len(viewer.streams[1].packets) > 50


def test_ids_of_what_is_gone_are_errors() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec, sink = producer(VP8), consumer(VP8, ssrc=1)
        video = publisher.publish(spec)
        watching = viewer.watch(sink, video, spec)
        world.submit(RemoveConsumer(watching))
        world.submit(RemoveProducer(video))
        again = publisher.publish(spec)
        assert again != video
        stale = (
            RemoveConsumer(watching),
            RemoveProducer(video),
            BindConsumer(watching, again),
            AddRelayTarget(video, 0, again),
            AddProducer(1 << 60, spec),
            AddConsumer(1 << 60, sink, 1, 1, 0),
        )
        assert [world.error(command) for command in stale] == [1] * len(stale)
        watching = viewer.watch(dataclasses.replace(sink, ssrc=2))
        assert world.error(BindConsumer(watching, video)) == 1


def test_values_out_of_range_and_doubles_are_refused() -> None:
    with World() as world:
        peer = Viewer(world)
        sink = consumer(VP8, ssrc=1, rtx_ssrc=2)
        peer.watch(sink)
        same_ufrag = OpenTransport(peer.ufrag, "p" * 22, 1, 1, 1, 1)
        assert world.error(same_ufrag) == 3
        for ssrcs, first_seq, error in (
            ((9, 2), 1, 3),
            ((9, 9), 1, 3),
            ((1, 8), 1, 3),
            ((9, 8), 0x8000, 4),
            ((9, 8), 0, 4),
        ):
            other = dataclasses.replace(sink, ssrc=ssrcs[0], rtx_ssrc=ssrcs[1])
            assert world.error(AddConsumer(peer.transport, other, first_seq, 1, 0)) == error
        assert world.error(dataclasses.replace(same_ufrag, ufrag="abc")) == 4
        assert world.error(SetKeys(peer.transport, peer.profile, peer.key, peer.server_key)) == 3
        twice = producer(VP8, encodings=[Encoding("a", ssrc=5), Encoding("b", ssrc=5)])
        assert world.error(AddProducer(peer.transport, twice)) == 3


def test_a_payload_type_that_a_viewer_has_not_leaves_no_gap() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8, H264, AV1)
        video = publisher.publish(spec)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, AV1, ssrc=1), video, spec)
        world.run(0.2)
        vp8, h264, av1 = (publisher.source(spec, pt.codec, ssrc=0x10 + pt.pt, label=pt.pt) for pt in (VP8, H264, AV1))
        for turn in range(4):
            vp8.send_frame()
            world.run(0.04)
            for other in (h264, av1) if turn % 2 else (h264,):
                other.ssrc, other.seq = vp8.ssrc, vp8.seq
                other.send_frame()
                vp8.seq = other.seq
                world.run(0.04)
        labels = [tag.label for tag in viewer.streams[1].tags()]
        assert set(labels) == {VP8.pt, AV1.pt}
        assert len(labels) == 3 * 4 + 3 * 2
        assert {packet.pt for packet in viewer.streams[1].packets.values()} == {106, 35}
        assert viewer.streams[1].missing() == []
        assert world.counters()["drop_no_consumer_format"] == 12


def test_a_producer_goes_on_under_another_ssrc() -> None:
    """As after an SSRC collision: other numbers, another clock, and viewers see one unbroken stream."""
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8)
        video = publisher.publish(spec)
        viewers = [Viewer(world), Viewer(world)]
        viewers[0].watch(consumer(VP8, ssrc=1, rtx_ssrc=2), video, spec)
        viewers[1].watch(consumer(VP8, ssrc=3), video, spec)
        world.run(0.2)
        old = publisher.source(spec, ssrc=0x10, label=1, seq=40_000, timestamp=123).start()
        world.run(3)
        old.stop()
        new = publisher.source(spec, ssrc=0x11, label=2, seq=20_000, timestamp=0x80000000).start()
        world.run(3)
        for viewer in viewers:
            (received,) = viewer.streams.values()
            assert received.missing() == []
            assert [tag.label for tag in received.tags()[-150:]] == [2] * 150
            pieces = {(tag.label, tag.frame, tag.index) for tag in received.tags()}
            assert len(pieces) == len(received.packets)
            pairs = itertools.pairwise(received.ordered())
            steps = [after.timestamp - before.timestamp & 0xFFFFFFFF for before, after in pairs]
            assert max(steps) < 90_000
        assert new.keyframes == 1
