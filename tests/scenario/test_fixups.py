"""Fixups of Chromium's descriptors: Chromium's decoder goes on where they are incomplete or wrong."""

from __future__ import annotations

import itertools

import pytest

from ci.support.scenario.layered import Layered, decode, decode_at_once
from ci.support.scenario.packet import Packet, Tag
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import AV1, PUBLISHED_EXTENSIONS, WATCHED_EXTENSIONS, consumer, producer
from ci.support.scenario.viewer import Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Codec, Encoding, Extension, PayloadType

VP9 = PayloadType(98, Codec.VP9, 90_000, rtx_pt=99, nack=True, pli=True, fir=True, transport_cc=True)

Place = tuple[int, int]  # picture and spatial layer


class Pictures:
    """A publisher of pictures whose layers have one packet each, and what a viewer gets of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.publisher, self.viewer = Publisher(world), Viewer(world)
        spec = producer(VP9, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)])
        self.viewer.watch(consumer(VP9, ssrc=1, rtx_ssrc=2), self.publisher.publish(spec), spec)
        world.run(0.2)
        self.source = self.publisher.source(spec, ssrc=0x10, rtx_ssrc=0x11)
        self._lost: set[Place] = set()

    def lose(self, *places: Place) -> None:
        """They come only when they are asked for again."""
        self._lost = set(places)

    def send(self, picture: int, spatial: int, *, marker: bool, below: bool) -> None:
        """`below`: it is said to refer to the layer below."""
        bits = 0xAC | (picture > 0) << 6  # I, L, B and E; P
        head = bytes([bits, 0x80, picture, spatial << 1 | below, picture])
        self.publisher.up.drops = lambda data: (picture, spatial) in self._lost
        self.source.send_payload(head + bytes(Tag(0, picture, spatial)), marker=marker)
        self.publisher.up.drops = lambda data: False

    def received(self) -> dict[Place, Packet]:
        """In the order of their numbers."""
        tags = [(Tag.find(packet.payload), packet) for packet in self.viewer.streams[1].ordered()]
        return {(tag.frame, tag.index): packet for tag, packet in tags if tag is not None}


@pytest.mark.parametrize(
    ("pt", "mode", "described"),
    [
        (VP9, "L3T3", False),
        (VP9, "L3T3_KEY", False),
        (VP9, "L3T3_KEY", True),
        (VP9, "S3T3", False),
        (AV1, "L3T3", True),
        (AV1, "L3T3_KEY", True),
        (AV1, "S3T3", True),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_decoder_that_does_not_wait_is_not_left_behind(
    pt: PayloadType, mode: str, described: bool, seed: int
) -> None:
    """Chromium decodes two frames of a picture where neither is said to refer to the third, which is late. Then it can
    never decode that one, nor what refers to it."""
    with World(seed=seed) as world:
        publisher, viewer = Publisher(world), Viewer(world)
        descriptor = {Extension.DEPENDENCY_DESCRIPTOR: 12} if described else {}
        spec = producer(
            pt, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)], extensions=PUBLISHED_EXTENSIONS | descriptor
        )
        sink = consumer(pt, ssrc=1, rtx_ssrc=2, extensions=WATCHED_EXTENSIONS | descriptor)
        viewer.watch(sink, publisher.publish(spec), spec)
        world.run(0.2)
        source = Layered(publisher, spec, pt, ssrc=0x10, rtx_ssrc=0x11, mode=mode)
        source.described = described
        publisher.sources[0x10] = source
        source.start()
        world.run(0.1)
        with publisher.up.bad():
            world.run(6)
        world.run(0.5)
        source.stop()
        times = decode_at_once(viewer.streams[1], source)
        assert max(after - before for before, after in itertools.pairwise(times)) < 700_000
        assert len(times) > 100
        assert source.keyframes == 1


def test_a_vp9_frame_whose_picture_has_no_lower_one_is_left_as_it_is() -> None:
    """It would wait for ever."""
    with World() as world:
        pictures = Pictures(world)
        places = [(picture, spatial) for picture in range(10) for spatial in ((0, 1) if picture % 2 == 0 else (1,))]
        for picture, spatial in places:
            pictures.send(picture, spatial, marker=spatial == 1, below=picture == 0 and spatial == 1)
            if spatial == 1:
                world.run(0.04)
        found = [(place, packet.payload[3] & 1) for place, packet in pictures.received().items()]
        assert found == [((picture, spatial), picture % 2 == 0 and spatial) for picture, spatial in places]


@pytest.mark.parametrize(
    ("lost", "ended"),
    [
        ([], True),
        ([(4, 1)], True),  # the last that came: by the time it is repaired it is known what followed
        ([(5, 0)], True),  # what came after that is of the next picture, and not its start
        ([(5, 0), (5, 1)], False),  # they may have been of either
        ([(4, 0)], True),
    ],
)
def test_a_picture_without_its_highest_layer_ends_nevertheless(lost: list[Place], ended: bool) -> None:
    """Chromium's encoder leaves layers out, and sets no marker then: a picture without one is never shown."""
    with World() as world:
        pictures = Pictures(world)
        pictures.lose(*lost)
        for picture in range(8):
            for spatial in (0, 1) if picture == 4 else (0, 1, 2):
                pictures.send(picture, spatial, marker=spatial == 2, below=spatial > 0)
            world.run(0.04)
        world.run(1)
        marked = [place for place, packet in pictures.received().items() if packet.marker]
        assert marked == [(n, 1 if n == 4 else 2) for n in range(8) if n != 4 or ended]


@pytest.mark.parametrize("lost", [[(4, 2)], [(4, 1), (4, 2)], [(4, 2), (5, 0)]])
def test_a_picture_whose_highest_layer_is_late_ends_with_that(lost: list[Place]) -> None:
    with World() as world:
        pictures = Pictures(world)
        pictures.lose(*lost)
        for picture in range(8):
            for spatial in range(3):
                pictures.send(picture, spatial, marker=spatial == 2, below=spatial > 0)
            world.run(0.04)
        world.run(1)
        assert [place for place, packet in pictures.received().items() if packet.marker] == [(n, 2) for n in range(8)]


def test_the_last_packet_before_a_pause_does_not_wait_for_the_next() -> None:
    with World() as world:
        pictures = Pictures(world)
        for spatial in range(3):
            pictures.send(0, spatial, marker=spatial == 2, below=spatial > 0)
        world.run(0.04)
        pictures.send(1, 0, marker=False, below=False)
        world.run(0.3)
        assert [(place, packet.marker) for place, packet in pictures.received().items()][-1] == ((1, 0), True)


def test_who_has_no_dependency_descriptors_gets_all_layers_of_vp9() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        extensions = PUBLISHED_EXTENSIONS | {Extension.DEPENDENCY_DESCRIPTOR: 12}
        spec = producer(VP9, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)], extensions=extensions)
        viewer.watch(consumer(VP9, ssrc=1, rtx_ssrc=2), publisher.publish(spec), spec)
        world.run(0.2)
        source = Layered(publisher, spec, VP9, ssrc=0x10, rtx_ssrc=0x11, mode="L3T3_KEY")
        source.described = True
        publisher.sources[0x10] = source
        source.start()
        world.run(1)
        assert {layer.spatial for _, layer in decode(viewer.streams[1], source)} == {0, 1, 2}
