"""Streams whose packets carry no MID, though the MID extension was negotiated (RFC 9143 section 9.2)."""

from __future__ import annotations

from dataclasses import replace

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import H264, OPUS, PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import Encoding, Extension, PayloadType, ProducerSpec, ReadStatistics


def unnamed(spec: ProducerSpec) -> ProducerSpec:
    """The description that a sender goes by which writes no MID and no RID into its packets."""
    names = (Extension.MID, Extension.RID, Extension.REPAIRED_RID)
    return replace(spec, extensions={key: value for key, value in spec.extensions.items() if key not in names})


def start(publisher: Publisher, spec: ProducerSpec, ssrc: int, label: int, rtx_ssrc: int = 0) -> Source:
    return publisher.source(unnamed(spec), ssrc=ssrc, label=label, rtx_ssrc=rtx_ssrc).start()


def publish(world: World, publisher: Publisher, spec: ProducerSpec, pt: PayloadType) -> Viewer:
    viewer = Viewer(world)
    viewer.watch(consumer(pt, ssrc=1), publisher.publish(spec), spec)
    world.run(0.2)
    return viewer


def test_an_unknown_ssrc_without_a_mid_goes_by_its_payload_type() -> None:
    with World() as world:
        publisher = Publisher(world)
        video, audio = producer(VP8), producer(OPUS, mid="a")
        ids = publisher.publish(video), publisher.publish(audio)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), ids[0], video)
        viewer.watch(consumer(OPUS, ssrc=2), ids[1], audio)
        world.run(0.2)
        start(publisher, video, 0x10, 1)
        start(publisher, audio, 0x11, 2)
        world.run(1)
        assert {tag.label for tag in viewer.streams[1].tags()} == {1}
        assert {tag.label for tag in viewer.streams[2].tags()} == {2}
        assert world.drops() == {}


def test_an_ssrc_that_is_not_the_one_of_the_sdp_is_taken() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8, encodings=(Encoding(ssrc=0x77, rtx_ssrc=0x78),))
        viewer = publish(world, publisher, spec, VP8)
        start(publisher, spec, 0x10, 1)
        world.run(1)
        assert len(viewer.streams[1].tags()) > 60
        assert world.drops() == {}


def test_an_only_encoding_with_a_rid_takes_packets_that_name_none() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8, encodings=(Encoding(rid="hi"),))
        viewer = publish(world, publisher, spec, VP8)
        start(publisher, spec, 0x10, 1)
        world.run(1)
        assert len(viewer.streams[1].tags()) > 60


def test_simulcast_goes_by_its_rids_alone_though_its_ssrcs_change() -> None:
    with World() as world:
        publisher = Publisher(world)
        extensions = {**PUBLISHED_EXTENSIONS, Extension.RID: 5, Extension.REPAIRED_RID: 6}
        spec = producer(VP8, encodings=(Encoding(rid="l"), Encoding(rid="h")), extensions=extensions)
        without_mid = replace(spec, extensions={key: extensions[key] for key in extensions if key is not Extension.MID})
        viewer = publish(world, publisher, spec, VP8)
        for ssrc, label in ((0x10, 0), (0x20, 2)):
            sources = [
                publisher.source(
                    without_mid, ssrc=ssrc + n, rid="lh"[n], label=label + n, size=(320 << n, 180 << n)
                ).start()
                for n in range(2)
            ]
            world.run(3)
            assert viewer.streams[1].tags()[-1].label == label + 1
            for source in sources:
                source.stop()
        assert world.drops() == {}


def test_an_ssrc_that_changes_in_mid_call_goes_on_at_a_keyframe() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8)
        viewer = publish(world, publisher, spec, VP8)
        before = start(publisher, spec, 0x10, 1)
        world.run(1)
        before.stop()
        after = start(publisher, spec, 0x20, 2)
        world.run(1)
        tags = viewer.streams[1].tags()
        assert tags[-1].label == 2
        assert len([tag for tag in tags if tag.label == 2]) > 45  # all but the first 200 ms and the wait for a keyframe
        assert after.keyframes >= 1
        assert set(world.drops()) <= {"drop_unknown_ssrc"}


def test_two_streams_of_one_payload_type_do_not_take_it_from_each_other() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(VP8)
        viewer = publish(world, publisher, spec, VP8)
        start(publisher, spec, 0x10, 1)
        world.run(0.5)
        start(publisher, spec, 0x20, 2)
        world.run(1)
        assert {tag.label for tag in viewer.streams[1].tags()} == {1}
        assert world.drops()["drop_unknown_ssrc"] > 50


def test_a_payload_type_of_two_producers_tells_nothing() -> None:
    with World() as world:
        publisher = Publisher(world)
        first, second = producer(VP8), producer(VP8, mid="w")
        publisher.publish(first)
        publisher.publish(second)
        world.run(0.2)
        start(publisher, first, 0x10, 1)
        world.run(0.5)
        assert world.drops()["drop_unknown_ssrc"] > 20


def test_a_mid_of_no_producer_is_never_matched_by_payload_type() -> None:
    with World() as world:
        publisher = Publisher(world)
        spec = producer(H264)
        viewer = publish(world, publisher, spec, H264)
        publisher.source(replace(spec, mid="stranger"), ssrc=0x10).start()
        world.run(0.5)
        assert viewer.streams[1].tags() == []
        assert world.drops()["drop_unknown_ssrc"] > 20


def test_retransmissions_of_an_undeclared_ssrc_go_by_their_apt() -> None:
    with World(seed=3) as world:
        publisher = Publisher(world, up=Link(delay_us=10_000, loss=0.1))
        spec = producer(VP8)
        viewer = publish(world, publisher, spec, VP8)
        start(publisher, spec, 0x10, 1, rtx_ssrc=0x11)
        world.run(3)
        streams = world.nodes[0].sandbox.submit(ReadStatistics(publisher.transport), world.now_us).statistics
        assert streams is not None
        assert streams.streams[0].repaired_packets > 10
        assert "drop_unknown_ssrc" not in world.drops()
        assert len(viewer.streams[1].tags()) > 200
