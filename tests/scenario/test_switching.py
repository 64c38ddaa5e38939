"""Sources that change under a viewer: encodings of a simulcast, publishers that come back, late joiners."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.support.dependency import Structure, Template, descriptor
from ci.support.scenario.packet import Packet
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import AV1, H264, PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    BindConsumer,
    CloseTransport,
    Codec,
    Encoding,
    Extension,
    ProducerSpec,
    RemoveProducer,
    SetLayers,
)
from fanwire.fastpath.testing import probes

REFUSED = 4  # fw_error_t
PAUSES_MS = st.lists(st.sampled_from([40, 200, 400, 1100, 5000]), min_size=5, max_size=30)
RIDS = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
SIMULCAST = producer(VP8, extensions=RIDS, encodings=[Encoding("q"), Encoding("h"), Encoding("f")])


def simulcast(publisher: Publisher) -> list[Source]:
    """Three encodings with clocks and numbers of their own; the lower sends fewer packets."""
    return [
        publisher.source(SIMULCAST, ssrc=0x20, rid="q", label=1, size=(320, 180), packets_per_frame=1, seq=100),
        publisher.source(SIMULCAST, ssrc=0x21, rid="h", label=2, size=(640, 360), timestamp=5, seq=30_000),
        publisher.source(SIMULCAST, ssrc=0x22, rid="f", label=3, timestamp=1 << 30, seq=65_000, picture_id=9, tl0=3),
    ]


def frames(received: Received) -> list[tuple[int, Packet]]:
    """The first packet of each frame with the label of its source, in the order of the sequence numbers."""
    return [
        (tag.label, packet) for tag, packet in zip(received.tags(), received.ordered(), strict=True) if tag.index == 0
    ]


def continuous(received: Received, *, longest_ms: int = 1500) -> None:
    """No gap, time that runs forward without leaps, picture ids and TL0PICIDX one after the other."""
    assert received.missing() == []
    whole = frames(received)
    for (_, before), (_, after) in itertools.pairwise(whole):
        assert 0 < (after.timestamp - before.timestamp) & 0xFFFFFFFF <= 90 * longest_ms
        first, second = probes.vp8(before.payload), probes.vp8(after.payload)
        assert first is not None
        assert second is not None
        assert (second["picture_id"] - first["picture_id"]) & 0x7FFF == 1
        assert (second["tl0_pic_idx"] - first["tl0_pic_idx"]) & 0xFF == 1
    changes = [(a, b) for (a, _), (b, b_packet) in itertools.pairwise(whole) if a != b]
    starts = [p for (a, _), (b, p) in itertools.pairwise(whole) if a != b]
    assert len(changes) == len(starts)
    for packet in starts:
        frame = probes.vp8(packet.payload)
        assert frame is not None
        assert frame["keyframe"], "a switch must happen at a keyframe"


def order(received: Received) -> list[int]:
    """The labels of the sources in the order in which they were seen."""
    return [label for label, _ in itertools.groupby(tag.label for tag in received.tags())]


def test_the_highest_live_encoding_flows_up_and_down() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        video = publisher.publish(SIMULCAST)
        viewer.watch(consumer(VP8, ssrc=1), video, SIMULCAST)
        world.run(0.2)
        low, middle, high = simulcast(publisher)
        low.start()
        world.run(1)
        middle.start()
        high.start()
        world.run(3)
        high.stop()
        world.run(4)
        high.start()
        world.run(3)
        received = viewer.streams[1]
        labels = order(received)
        assert labels[0] == 1
        assert labels[-3:] == [3, 2, 3]
        continuous(received)
        assert world.drops() == {}
        # The one that had stopped was not asked for while it was silent.
        silent = [at for at in high.requests_us if 6_700_000 < at < 9_200_000]
        assert silent == []


def test_the_encoding_chosen_flows_as_long_as_it_lives() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        video = publisher.publish(SIMULCAST)
        consumer_id = viewer.watch(consumer(VP8, ssrc=1), video, SIMULCAST)
        world.run(0.2)
        _, middle, _ = sources = simulcast(publisher)
        for source in sources:
            source.start()
        world.run(2)
        for encoding in (0, 1, 2, 0, None, 1):
            world.submit(SetLayers(consumer_id, encoding))
            world.run(1.5)
        middle.stop()  # gives way to the highest,
        world.run(3)
        middle.start()  # and flows again when it is back
        world.run(3)
        received = viewer.streams[1]
        assert order(received)[-9:] == [3, 1, 2, 3, 1, 3, 2, 3, 2]
        continuous(received)
        assert world.drops() == {}


def test_an_encoding_that_vanishes_is_made_up_for_before_a_viewer_minds() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), publisher.publish(SIMULCAST), SIMULCAST)
        world.run(0.2)
        sources = simulcast(publisher)
        for source in sources:
            source.start()
        world.run(3)
        received = viewer.streams[1]
        for source in reversed(sources[1:]):
            source.stop()
            world.run(2)
        assert order(received)[-3:] == [3, 2, 1]
        continuous(received, longest_ms=700)
        came_us = sorted(received.arrivals_us.values())
        assert max(after - before for before, after in itertools.pairwise(came_us)) < 700_000


@given(PAUSES_MS, st.booleans())
@settings(max_examples=20)
def test_a_screen_that_stands_still_now_and_then_keeps_its_encoding(pauses_ms: list[int], lowest_first: bool) -> None:
    """Its encodings pause together, and the frames after that come one by one."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), publisher.publish(SIMULCAST), SIMULCAST)
        world.run(0.2)
        sources = simulcast(publisher)
        in_turn = sources if lowest_first else sources[::-1]
        for pause_ms in [40] * 50 + pauses_ms:
            for source in in_turn:
                source.send_frame()
                world.run(0.005)
            world.run(pause_ms / 1000)
        labels = order(viewer.streams[1])
        assert labels[-1] == 3
        assert labels.count(3) == 1
        assert viewer.streams[1].missing() == []


@pytest.mark.parametrize("choices", [(1, 2), (1, 0), (1, 2, 0)])
def test_what_comes_after_several_switches_is_not_lost(choices: tuple[int, ...]) -> None:
    """A packet of the first run is held up until more runs have begun."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        watching = viewer.watch(consumer(VP8, ssrc=1), publisher.publish(SIMULCAST), SIMULCAST)
        world.run(0.2)
        for source in simulcast(publisher):
            source.start()
        world.submit(SetLayers(watching, 0))
        world.run(3)
        received = viewer.streams[1]
        send = publisher.send_packet
        held: list[tuple[Packet, tuple[int, int] | None]] = []

        def hold(packet: Packet, original: tuple[int, int] | None) -> None:
            if packet.ssrc == 0x20 and not held:
                held.append((packet, original))
            else:
                send(packet, original)

        publisher.send_packet = hold  # type: ignore[method-assign]
        world.run(0.1)
        for choice in choices:
            world.submit(SetLayers(watching, choice))
            world.run(0.9)
        assert len(received.missing()) == 1
        send(*held[0])
        world.run(0.2)
        assert order(received)[-len(choices) - 1 :] == [1, *(choice + 1 for choice in choices)]
        continuous(received)
        assert world.drops() == {}


def test_a_choice_is_the_choosers_alone() -> None:
    with World() as world:
        publisher, viewers = Publisher(world), [Viewer(world) for _ in range(2)]
        video = publisher.publish(SIMULCAST)
        chooser, _ = (viewer.watch(consumer(VP8, ssrc=1), video, SIMULCAST) for viewer in viewers)
        world.run(0.2)
        for source in simulcast(publisher):
            source.start()
        world.run(2)
        before = [order(viewer.streams[1]) for viewer in viewers]
        assert [labels[-1] for labels in before] == [3, 3]
        world.submit(SetLayers(chooser, 0))
        world.run(2)
        assert [order(viewer.streams[1]) for viewer in viewers] == [[*before[0], 1], before[1]]
        for encoding in (3, 254):
            assert world.error(SetLayers(chooser, encoding)) == REFUSED
        world.submit(BindConsumer(chooser, 0))
        assert world.error(SetLayers(chooser, 0)) == REFUSED


def test_time_follows_the_reports_where_one_device_stamps_all_encodings() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        video = publisher.publish(SIMULCAST)
        viewer.watch(consumer(VP8, ssrc=1), video, SIMULCAST)
        world.run(0.2)
        low, _, high = simulcast(publisher)
        low.start()
        world.run(2.5)
        high.start()
        world.run(2.5)
        high.stop()
        world.run(3)
        received = viewer.streams[1]
        assert len(order(received)) == 3
        # Whatever the network does to arrivals: what was captured at one time bears one time.
        captured = {(s.label, n): p.timestamp - s.timestamp for s in (low, high) for n, p in first_packets(s).items()}
        offsets = {
            (packet.timestamp - captured[tag.label, tag.frame]) & 0xFFFFFFFF
            for tag, packet in zip(received.tags(), received.ordered(), strict=True)
            if tag.index == 0
        }
        assert max(offsets) - min(offsets) <= 90 * 41  # one step where both showed the same moment
        report = received.reports[-1][1]
        assert report["packets"] <= len(received.packets)


def first_packets(source: Source) -> dict[int, Packet]:
    """By frame number: the frames of a history, in order of sending."""
    by_frame: dict[int, Packet] = {}
    for packet in source.history.values():
        number = int.from_bytes(packet.payload[packet.payload.find(b"FWtg") + 6 :][:4], "big")
        by_frame.setdefault(number, packet)
    return by_frame


def test_a_publisher_that_comes_back_goes_on_where_it_was() -> None:
    with World() as world:
        spec = producer(VP8)
        viewer = Viewer(world)
        sink = consumer(VP8, ssrc=1, rtx_ssrc=2)
        watching = viewer.watch(sink)
        old_video = 0
        for label in range(1, 5):
            publisher = Publisher(world)
            video = publisher.publish(spec)
            viewer.follow(watching, sink, video, spec)
            if old_video:
                assert world.error(BindConsumer(watching, old_video)) == 1
            world.run(0.5)
            chance = world.chance.randrange
            publisher.source(
                spec,
                ssrc=chance(1, 1 << 32),
                label=label,
                seq=chance(1 << 16),
                timestamp=chance(1 << 32),
                picture_id=chance(1 << 15),
                tl0=chance(256),
            ).start()
            world.run(2)
            if label % 2:
                world.submit(CloseTransport(publisher.transport))
            else:
                world.submit(RemoveProducer(video))
                world.submit(CloseTransport(publisher.transport))
            publisher.alive = False
            publisher.sources.popitem()[1].stop()
            old_video = video
        world.run(1)
        received = viewer.streams[1]
        assert order(received) == [1, 2, 3, 4]
        continuous(received)
        viewer.nack(1, [received.highest])
        world.run(1)
        assert received.rtx == []  # the cache has gone with the publisher


def test_a_publisher_comes_back_with_another_codec() -> None:
    with World() as world:
        viewer = Viewer(world)
        sink = consumer(VP8, H264, ssrc=1)
        watching = viewer.watch(sink)
        for label, pt in enumerate((VP8, H264, VP8), 1):
            publisher, spec = Publisher(world), producer(pt)
            viewer.follow(watching, sink, publisher.publish(spec), spec)
            world.run(0.5)
            source = publisher.source(spec, ssrc=0x100 + label, label=label).start()
            world.run(1)
            source.stop()
        received = viewer.streams[1]
        assert order(received) == [1, 2, 3]
        assert received.missing() == []
        assert [pt for pt, _ in itertools.groupby(p.pt for p in received.ordered())] == [106, 112, 106]


def dependency(source: Source, *, keyframe: bool, number: int) -> dict[int, bytes]:
    """A dependency descriptor; with a keyframe, one that carries a structure of one layer."""
    structure = Structure([Template(0, 0, "S"), Template(0, 0, "R", [1])])
    written = descriptor(0 if keyframe else 1, number, structure=structure if keyframe else None)
    return {source.spec.extensions[Extension.DEPENDENCY_DESCRIPTOR]: written}


def test_the_frame_number_of_a_dependency_descriptor_goes_on() -> None:
    ids = PUBLISHED_EXTENSIONS | {Extension.DEPENDENCY_DESCRIPTOR: 12}
    with World() as world:
        spec = producer(AV1, extensions=ids)
        viewer = Viewer(world)
        sink = consumer(AV1, ssrc=1, extensions={Extension.MID: 1, Extension.DEPENDENCY_DESCRIPTOR: 7})
        watching = viewer.watch(sink)
        for label, first in ((1, 65_530), (2, 300)):
            publisher = Publisher(world)
            viewer.follow(watching, sink, publisher.publish(spec), spec)
            world.run(0.2)
            source = publisher.source(spec, Codec.AV1, ssrc=0x20 + label, label=label)
            for number in range(10):
                payload = bytes([0x18 if number == 0 else 0x10, 0x30]) + b"frame"
                extension = dependency(source, keyframe=number == 0, number=first + number)
                source.send_payload(payload, marker=True, extensions=extension)
                world.run(0.04)
        numbers = [int.from_bytes(p.extensions[7][1:3], "big") for p in viewer.streams[1].ordered()]
        assert numbers == [(65_530 + i) & 0xFFFF for i in range(20)]


def late_joiner(world: World, publisher: Publisher, video: int, spec: ProducerSpec) -> Viewer:
    viewer = Viewer(world)
    viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), video, spec)
    return viewer


def test_late_joiners_start_at_a_keyframe_and_soon() -> None:
    with World() as world:
        publisher, spec = Publisher(world), producer(VP8)
        video = publisher.publish(spec)
        world.run(0.2)
        source = publisher.source(spec, ssrc=0x10).start()
        world.run(3)
        for _ in range(2):
            before_us = world.now_us
            viewer = late_joiner(world, publisher, video, spec)
            world.run(0.3)
            received = viewer.streams[1]
            first = received.tags()[0]
            assert first.index == 0
            assert min(received.arrivals_us.values()) - before_us < 150_000
            frame = probes.vp8(received.ordered()[0].payload)
            assert frame is not None
            assert frame["keyframe"]
            assert received.missing() == []
            assert received.tags()[-1].frame >= source.frame - 2
        # The second one needed no keyframe of its own.
        assert source.keyframes == 2


def test_a_choice_while_catching_up_holds_from_the_next_keyframe() -> None:
    with World() as world:
        publisher = Publisher(world)
        video = publisher.publish(SIMULCAST)
        sources = simulcast(publisher)
        for source in sources:
            source.start()
        world.run(2.5)
        asked = [len(source.requests_us) for source in sources]
        viewer = Viewer(world)
        watching = viewer.watch(consumer(VP8, ssrc=1), video, SIMULCAST)
        world.run(0.3)
        assert [len(source.requests_us) for source in sources] == asked
        world.submit(SetLayers(watching, 0))
        world.run(2)
        assert order(viewer.streams[1]) == [3, 1]
        continuous(viewer.streams[1], longest_ms=300)
        assert viewer.streams[1].tags()[-1].frame >= sources[0].frame - 1


def test_a_source_that_starts_anew_ends_the_catching_up() -> None:
    with World() as world:
        publisher, spec = Publisher(world), producer(VP8)
        video = publisher.publish(spec)
        world.run(0.2)
        before = publisher.source(spec, ssrc=0x10, label=1).start()
        world.run(2)
        viewer = late_joiner(world, publisher, video, spec)
        world.run(0.2)
        before.stop()
        after = publisher.source(spec, ssrc=0x11, label=2, seq=5, timestamp=77).start()
        world.run(2)
        assert order(viewer.streams[1]) == [1, 2]
        continuous(viewer.streams[1], longest_ms=300)
        assert viewer.streams[1].tags()[-1].frame >= after.frame - 1


def test_time_goes_on_for_hours_after_a_late_start() -> None:
    """The time of what a late joiner catches up with runs faster: of that, and of nothing hours later."""
    with World() as world:
        publisher, spec = Publisher(world), producer(VP8)
        video = publisher.publish(spec)
        world.run(0.2)
        source = publisher.source(spec, ssrc=0x10).start()
        world.run(0.5)
        viewer = late_joiner(world, publisher, video, spec)
        world.run(1)
        for _ in range(12):  # of 3.3 hours each
            source.timestamp += 1 << 30
            world.run(0.2)
        received = viewer.streams[1]
        steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(received.ordered())]
        leaps = [step for step in steps if step > 1 << 29]
        assert len(leaps) == 12
        assert all(leap == (1 << 30) + 3600 for leap in leaps)
        assert max(step for step in steps if step not in leaps) == 3600
