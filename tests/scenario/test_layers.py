"""Layers chosen at any moment: whatever leaves must decode, and be what was asked for."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.support.scenario.layered import Layered, decode
from ci.support.scenario.packet import Packet, Tag
from ci.support.scenario.peer import Peer
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import AV1, H264, PUBLISHED_EXTENSIONS, VP8, WATCHED_EXTENSIONS, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    Codec,
    Encoding,
    Extension,
    PayloadType,
    ProducerSpec,
    ReadStatistics,
    SetLayers,
    StreamStatistics,
)

VP9 = PayloadType(98, Codec.VP9, 90_000, rtx_pt=99, nack=True, pli=True, fir=True, transport_cc=True)
RIDS = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11, Extension.DEPENDENCY_DESCRIPTOR: 12}
DESCRIBED = WATCHED_EXTENSIONS | {Extension.DEPENDENCY_DESCRIPTOR: 7}
NUMBERS = st.none() | st.integers(0, 2)
CHOICES = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.integers(1, 40)), min_size=1, max_size=8)


def camera(pt: PayloadType, encodings: int) -> ProducerSpec:
    return producer(pt, extensions=RIDS, encodings=[Encoding(rid) for rid in "qhf"[:encodings]])


def sources(publisher: Publisher, spec: ProducerSpec, mode: str, **options: Any) -> list[Layered]:
    made = [
        Layered(
            publisher, spec, spec.payload_types[0], ssrc=0x20 + n, rtx_ssrc=0x30 + n, rid=encoding.rid, label=n + 1,
            size=(320 << n, 180 << n), packets_per_frame=1 + n, seq=20_000 * n + 65_000, timestamp=n << 30,
            picture_id=0x7FF0 + n * 99, tl0=250 + n, mode=mode, **options,
        )
        for n, encoding in enumerate(spec.encodings)
    ]  # fmt: skip
    publisher.sources |= {source.ssrc: source for source in made}
    return made


def statistics(world: World, peer: Peer) -> StreamStatistics:
    """Those of the peer's one stream."""
    told = world.nodes[peer.node].sandbox.submit(ReadStatistics(peer.transport), world.now_us).statistics
    assert told is not None
    (stream,) = told.streams
    return stream


def there(world: World, publisher: Publisher) -> tuple[int | None, int | None]:
    """The highest layers that the core says there are."""
    stream = statistics(world, publisher)
    return stream.spatial, stream.temporal


def persist(world: World, viewer: Viewer, received: Received) -> None:
    """Asks again for what is missing, as a decoder does before it gives up."""

    def ask() -> bool:
        missing = received.missing()
        if missing:
            viewer.nack(received.spec.ssrc, missing[:60])
        return True

    world.every(100_000, ask)


@pytest.mark.parametrize(
    ("pt", "encodings", "mode"),
    [
        (VP8, 3, "L1T3"),
        (VP9, 1, "L3T3"),
        (VP9, 1, "L3T3_KEY"),
        (VP9, 1, "S3T3"),
        (VP9, 3, "L1T3"),
        (AV1, 1, "L3T3"),
        (AV1, 1, "L3T3_KEY"),
        (AV1, 1, "S3T3"),
        (AV1, 2, "L2T3"),
        (AV1, 3, "L1T3"),
        (H264, 3, "L1T3"),
        (H264, 3, "L1T2"),
    ],
)
@settings(max_examples=25)
@given(choices=CHOICES, seed=st.integers(0, 99), bad=st.booleans(), described=st.booleans(), special=st.booleans())
def test_whatever_is_chosen_decodes(
    pt: PayloadType,
    encodings: int,
    mode: str,
    choices: list[tuple[int | None, int | None, int | None, int]],
    seed: int,
    bad: bool,
    described: bool,
    special: bool,
) -> None:
    """Random layer choices at random moments.

    `bad`: 5 % loss and reordering between publisher and server. `described`: viewers receive dependency descriptors.
    `special`: VP9 in flexible mode, from an encoder that drops pictures or their higher layers; in AV1, viewers can go
    up a spatial layer at frames other than keyframes.
    """
    with World(seed=seed) as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(pt, encodings)
        sink = consumer(pt, ssrc=1, rtx_ssrc=2, extensions=DESCRIBED if described else WATCHED_EXTENSIONS)
        watching = viewer.watch(sink, publisher.publish(spec), spec)
        received = viewer.streams[1]
        persist(world, viewer, received)
        world.run(0.2)
        cuts = special and pt is VP9 and mode.startswith("L3") and not bad
        options = {"syncs": special and mode == "L3T3", "skips": 0.3 * special, "cuts": 0.2 * cuts}
        made = sources(publisher, spec, mode, flexible=special, **options)
        for source in made:
            source.start()
        world.run(0.1)
        with publisher.up.bad() if bad else nullcontext():
            world.run(1)
            for encoding, spatial, temporal, ticks in choices:
                preferred = encoding if encoding is not None and encoding < encodings else None
                world.submit(SetLayers(watching, preferred, spatial, temporal))
                world.run(ticks * 0.037)
            world.run(1)
        world.run(0.1)
        for source in made:
            source.stop()
        world.run(1)
        assert not world.wiretap.missing
        decoded = decode(received, *made)
        assert len(decoded) > 10
        assert described or pt is not AV1 or {layer.spatial for _, layer in decoded} == {0}
        assert mode != "S3T3" or len({layer.picture for _, layer in decoded}) == len(decoded), "one layer alone decodes"


@pytest.mark.parametrize(
    ("pt", "mode"),
    [(VP8, "L1T3"), (VP9, "L3T3"), (VP9, "L3T3_KEY"), (VP9, "S3T3"), (AV1, "L3T3"), (AV1, "S3T3"), (H264, "L1T2")],
)
@settings(max_examples=10)
@given(spatial=NUMBERS, temporal=NUMBERS, age=st.floats(0.2, 0.9))
def test_a_keyframe_that_is_sent_again_decodes_with_all_that_followed_it(
    pt: PayloadType, mode: str, spatial: int | None, temporal: int | None, age: float
) -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(pt, 1)
        sink = consumer(pt, ssrc=1, rtx_ssrc=2, extensions=DESCRIBED)
        watching = viewer.watch(sink, publisher.publish(spec), spec)
        received = viewer.streams[1]
        persist(world, viewer, received)
        world.run(0.2)
        (source,) = sources(publisher, spec, mode)
        source.start()
        world.run(2)
        world.submit(SetLayers(watching, None, spatial, temporal))
        source.keyframe_due = True
        world.run(age)
        asked = len(source.requests_us)  # layers that stand alone change at a keyframe
        viewer.ask_keyframe(1)
        world.run(1)
        source.stop()
        world.run(1)
        assert len(source.requests_us) == asked <= (mode == "S3T3")
        starts = [n for n, packet in sorted(received.packets.items()) if is_start(packet, source, mode == "S3T3")]
        (repeated,) = [n for before, n in pairwise(starts) if same_frame(received, before, n)]
        for first, end in pairwise([min(received.packets), repeated, received.highest + 1]):
            part = {n: received.packets[n] for n in range(first, end)}
            decoded = decode(Received(sink, part, highest=end - 1), source)
            assert decoded[0][1].keyframe
        for before, after in pairwise(received.ordered()):
            assert (after.timestamp - before.timestamp) & 0xFFFFFFFF < 1 << 31


def is_start(packet: Packet, source: Layered, alone: bool) -> bool:
    """Of a keyframe's lowest spatial layer, or of any where each stands alone."""
    tag = Tag.find(packet.payload)
    if tag is None or tag.index > 0:
        return False
    layer = source.layers[tag.frame]
    return layer.keyframe and (alone or layer.spatial == 0)


def same_frame(received: Received, one: int, other: int) -> bool:
    tags = [Tag.find(received.packets[number].payload) for number in (one, other)]
    return len({tag and tag.frame for tag in tags}) == 1


@pytest.mark.parametrize(
    ("pt", "mode"),
    [
        (VP8, "L1T3"),
        (VP9, "L3T3_KEY"),
        (AV1, "L1T3"),
        (AV1, "L3T3"),
        (AV1, "L3T3_KEY"),
        (AV1, "S3T3"),
        (VP9, "S3T3"),
        (H264, "L1T3"),
        (H264, "L1T2"),
    ],
)
def test_what_is_asked_for_is_what_flows(pt: PayloadType, mode: str) -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(pt, 1)
        watching = viewer.watch(consumer(pt, ssrc=1, extensions=DESCRIBED), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, mode)
        source.start()
        world.run(1)
        received = viewer.streams[1]
        flowing: set[tuple[int, int]] = set()
        top, top_rate = source.spatials - 1, max(temporal for temporal, _ in source.pattern)
        for spatial, temporal in [(2, 0), (0, 2), (1, 1), (None, None), (0, 0), (2, 1), (1, 2), (0, 1), (2, 2)]:
            notices = len(world.nodes[viewer.node].changes)
            world.submit(SetLayers(watching, None, spatial, temporal))
            world.run(0.7)
            told = len(world.nodes[viewer.node].changes) > notices
            before = len(decode(received, source))
            world.run(1)
            flowed, flowing = (
                flowing,
                {(layer.spatial, layer.temporal) for _, layer in decode(received, source)[before:]},
            )
            assert told or flowing == flowed, "nobody heard that other layers flow"
            highest, rate = (
                top if spatial is None else min(spatial, top),
                top_rate if temporal is None else min(temporal, top_rate),
            )
            lowest = highest if mode.startswith("S") else 0
            assert flowing == {(s, t) for s in range(lowest, highest + 1) for t in range(rate + 1)}
            stream = statistics(world, viewer)
            assert (min(stream.spatial or 0, top), min(stream.temporal or 0, top_rate)) == (highest, rate)
            assert (min(stream.target_spatial, top), min(stream.target_temporal, top_rate)) == (highest, rate)
            assert there(world, publisher) == (top, top_rate)
        # A keyframe is asked for where spatial layers are to be taken up, and nowhere else; in S modes for any other.
        assert len(source.requests_us) <= (1 + (9 if mode.startswith("S") else 5) if top > 0 else 1)
        assert world.drops() == {}


def test_av1_goes_by_its_newest_structure_and_by_what_is_active() -> None:
    """A publisher that stops its highest spatial layer, and later names its templates anew."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(AV1, 1)
        watching = viewer.watch(consumer(AV1, ssrc=1, extensions=DESCRIBED), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, "L3T3")
        source.start()
        world.run(0.5)
        assert there(world, publisher) == (2, 2)
        for id_offset in (60, 11):
            source.structure = replace(source.structure, id_offset=id_offset)
            source.active = 2
            source.keyframe_due = True
            world.run(0.5)
            assert there(world, publisher) == (1, 2)
            asked = len(source.requests_us)
            for temporal in (0, 2, 1, 2):
                world.submit(SetLayers(watching, None, None, temporal))
                world.run(0.5)
                before = len(decode(viewer.streams[1], source))
                world.run(0.5)
                flowing = {(layer.spatial, layer.temporal) for _, layer in decode(viewer.streams[1], source)[before:]}
                assert flowing == {(s, t) for s in range(2) for t in range(temporal + 1)}
            assert len(source.requests_us) == asked
        assert world.drops() == {}


def test_what_there_is_to_choose_from_follows_the_publisher() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(VP9, 1)
        watching = viewer.watch(consumer(VP9, ssrc=1), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, "L3T3")
        assert there(world, publisher) == (None, None)
        source.start()
        world.run(0.5)
        assert there(world, publisher) == (2, 2)
        source.active = 1
        world.run(32 * 0.04)
        assert there(world, publisher) == (0, 2)
        asked = len(source.requests_us)
        for spatial in (0, 2):
            world.submit(SetLayers(watching, None, spatial, None))
            world.run(0.5)
        assert len(source.requests_us) == asked, "layers that are not there were waited for"
        source.active = 3
        source.keyframe_due = True
        world.run(0.2)
        assert there(world, publisher) == (2, 2)
        assert max(layer.spatial for _, layer in decode(viewer.streams[1], source)[-8:]) == 2


@pytest.mark.parametrize("encoding", [0, 2])  # its frames have one packet, or three: then the prefix has its own
def test_h264_by_prefix_nal_units_goes_up_at_keyframes(encoding: int) -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(H264, 3)
        watching = viewer.watch(consumer(H264, ssrc=1), publisher.publish(spec), spec)
        world.run(0.2)
        made = sources(publisher, spec, "L1T3", described=False)
        for source in made:
            source.start()
        world.run(1)
        asked = len(made[encoding].requests_us)
        for temporal, requests in [(0, 0), (1, 1), (0, 1), (2, 2), (None, 2), (1, 2)]:
            world.submit(SetLayers(watching, encoding, None, temporal))
            world.run(1.5)
            before = len(decode(viewer.streams[1], *made))
            world.run(0.5)
            flowing = {layer.temporal for _, layer in decode(viewer.streams[1], *made)[before:]}
            assert flowing == set(range(2 if temporal is None else temporal + 1)) | ({2} if temporal is None else set())
            assert len(made[encoding].requests_us) - asked <= requests + 1


def test_h264_whose_packets_do_not_tell_their_picture_is_sent_whole() -> None:
    """A delimiter in a packet of its own must not be left behind by a picture that is left out, nor taken for one."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(H264, 1)
        watching = viewer.watch(consumer(H264, ssrc=1), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, "L1T2")
        source.start()
        world.run(0.5)
        world.submit(SetLayers(watching, None, None, 0))
        world.run(0.5)
        assert there(world, publisher) == (0, 1)
        source.send_payload(b"\x09\x10", marker=False)
        world.run(0.5)
        before = len(decode(viewer.streams[1], source))
        world.run(0.5)
        assert {layer.temporal for _, layer in decode(viewer.streams[1], source)[before:]} == {0, 1}
        assert there(world, publisher) == (None, None)


@pytest.mark.parametrize(
    ("pt", "mode", "flexible"),
    [
        (VP9, "L3T3", False),
        (VP9, "L3T3", True),
        (VP9, "L3T3_KEY", False),
        (VP9, "L3T3_KEY", True),
        (VP9, "S3T3", False),
        (AV1, "L3T3", False),
        (AV1, "L3T3_KEY", False),
        (AV1, "S3T3", False),
    ],
)
@settings(max_examples=10)
@given(choices=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), min_size=1, max_size=8))
def test_what_flowed_goes_on_until_the_keyframe_that_a_spatial_layer_needs(
    pt: PayloadType, mode: str, flexible: bool, choices: list[tuple[int, int]]
) -> None:
    """No picture is left out on the way, one keyframe at most is asked for each way up, and none for a way down.

    In S modes the way down needs one, too."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(pt, 1)
        watching = viewer.watch(consumer(pt, ssrc=1, extensions=DESCRIBED), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, mode, flexible=flexible)
        source.start()
        world.run(1)
        asked, ups, before = len(source.requests_us), 0, 2
        for spatial, ticks in choices:
            world.submit(SetLayers(watching, None, spatial, None))
            world.run(ticks * 0.037)
            ups += spatial > before or (mode == "S3T3" and spatial != before)
            before = spatial
        world.run(1)
        source.stop()
        world.run(0.2)
        decoded = [layer for _, layer in decode(viewer.streams[1], source)]
        pictures = list(dict.fromkeys(layer.picture for layer in decoded))
        assert pictures == list(range(pictures[0], pictures[-1] + 1)), "a picture was left out"
        assert len(source.requests_us) - asked <= ups
        assert decoded[-1].spatial == before
        assert world.drops() == {}


def test_av1_takes_spatial_layers_up_where_its_descriptor_says_so() -> None:
    """Without a keyframe, which this publisher does not send."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(AV1, 1)
        watching = viewer.watch(consumer(AV1, ssrc=1, extensions=DESCRIBED), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, "L3T3", syncs=True)
        source.start()
        world.run(0.5)
        source.obeys = False
        keyframes = source.keyframes
        for spatial, temporal in [(0, 2), (2, 2), (0, 0), (1, 0), (2, 2), (1, 2), (2, 1)]:
            world.submit(SetLayers(watching, None, spatial, temporal))
            world.run(0.5)
            before = len(decode(viewer.streams[1], source))
            world.run(0.5)
            flowing = {(layer.spatial, layer.temporal) for _, layer in decode(viewer.streams[1], source)[before:]}
            assert flowing == {(s, t) for s in range(spatial + 1) for t in range(temporal + 1)}
        assert source.keyframes == keyframes


def test_av1_layers_that_are_switched_off_by_the_mask_alone_are_not_waited_for() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = camera(AV1, 1)
        watching = viewer.watch(consumer(AV1, ssrc=1, extensions=DESCRIBED), publisher.publish(spec), spec)
        world.run(0.2)
        (source,) = sources(publisher, spec, "L3T3")
        source.start()
        world.run(0.5)
        for active in (2, 1):
            source.active = active
            world.run(0.5)
            asked = len(source.requests_us)
            for spatial, temporal in [(None, 0), (2, 2), (active - 1, 1), (None, None)]:
                world.submit(SetLayers(watching, None, spatial, temporal))
                world.run(0.5)
                before = len(decode(viewer.streams[1], source))
                world.run(0.5)
                flowing = {(layer.spatial, layer.temporal) for _, layer in decode(viewer.streams[1], source)[before:]}
                assert flowing == {
                    (s, t) for s in range(active) for t in range(3 if temporal is None else temporal + 1)
                }
            assert len(source.requests_us) == asked
            assert there(world, publisher) == (active - 1, 2)
        source.active = 3
        source.keyframe_due = True
        world.run(0.5)
        assert max(layer.spatial for _, layer in decode(viewer.streams[1], source)[-8:]) == 2
        assert world.drops() == {}
