"""Packets that come too late or never: what a viewer is given in their place, and where a decoder may go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ci.support.scenario.layered import Layered
from ci.support.scenario.packet import Tag
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import AV1, H264, PUBLISHED_EXTENSIONS, VP8, WATCHED_EXTENSIONS, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    AddRelayedProducer,
    AddRelayTarget,
    Codec,
    Encoding,
    Extension,
    PayloadType,
    SetLayers,
)
from fanwire.fastpath.testing import probes

VP9 = PayloadType(98, Codec.VP9, 90_000, rtx_pt=99, nack=True, pli=True, fir=True, transport_cc=True)
H265 = replace(H264, pt=104, codec=Codec.H265, rtx_pt=105)
DESCRIBED = {Extension.DEPENDENCY_DESCRIPTOR: 12}
GIVEN_UP_S = 2  # ten requests, a round trip and a quarter apart


class Call:
    """A publisher that repairs nothing, and a viewer that asks again and again for what is missing."""

    def __init__(
        self, world: World, pt: PayloadType, *, rtx: bool = True, described: bool = False, nodes: int = 1
    ) -> None:
        self.world = world
        self.publisher, self.viewer = Publisher(world), Viewer(world, node=nodes - 1)
        spec = producer(pt, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)], extensions=PUBLISHED_EXTENSIONS | DESCRIBED)
        video = self.publisher.publish(spec)
        for node in range(1, nodes):
            copy = world.submit(AddRelayedProducer(0, video, spec), node)
            world.submit(AddRelayTarget(video, node, copy), 0)
            video = copy
        extensions = WATCHED_EXTENSIONS | ({Extension.DEPENDENCY_DESCRIPTOR: 7} if described else {})
        self.viewer.watch(consumer(pt, ssrc=1, rtx_ssrc=2 if rtx else 0, extensions=extensions), video, spec)
        make = Source if pt.codec is Codec.H264 else Layered
        self.source: Source = make(self.publisher, spec, pt, ssrc=0x10, rtx_ssrc=0x11)
        self.source.repairs = False
        self.publisher.sources[0x10] = self.source
        world.run(0.2)
        self.source.start()
        world.every(100_000, self._ask)

    @property
    def received(self) -> Received:
        return self.viewer.streams[1]

    def _ask(self) -> bool:
        if missing := self.received.missing():
            self.viewer.nack(1, missing)
        return True

    def lose(self, packets: int) -> None:
        """The next packets do not arrive."""
        left = packets

        def drops(data: bytes) -> bool:
            nonlocal left
            lost = left > 0 and probes.demux(data) == "rtp"
            left -= lost
            return lost

        self.publisher.up.drops = drops


@pytest.mark.parametrize("rtx", [True, False])
@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize(("pt", "described"), [(VP8, False), (VP9, False), (AV1, True)])
def test_what_is_lost_for_good_is_filled_when_asked_for(
    pt: PayloadType, described: bool, nodes: int, rtx: bool
) -> None:
    """The numbers show no gap any more, so that the viewer stops asking; picture ids or frame numbers still show it."""
    with World(nodes=nodes) as world:
        call = Call(world, pt, rtx=rtx, described=described, nodes=nodes)
        world.run(1)
        keyframes = call.source.keyframes
        call.lose(4)
        world.run(0.1)
        gap = call.received.missing()
        assert len(gap) == 4
        assert world.counters(nodes - 1)["nack_filled"] == 0  # it may still come
        world.run(GIVEN_UP_S)
        assert call.received.missing() == []
        fillers = [call.received.packets[number] for number in gap]
        assert all((filler.payload, filler.marker) == (b"", False) for filler in fillers)
        assert all(Extension.DEPENDENCY_DESCRIPTOR not in filler.extensions for filler in fillers)
        assert call.source.keyframes == keyframes + 1, "nobody can decode on without one"
        asked = world.counters(nodes - 1)["nack_in"]
        world.run(1)
        assert world.counters(nodes - 1)["nack_in"] == asked


@pytest.mark.parametrize("rtx", [True, False])
def test_what_comes_after_all_goes_out_unless_its_number_has(rtx: bool) -> None:
    with World() as world:
        call = Call(world, VP8, rtx=rtx)
        world.run(1)
        call.lose(2)
        frame = call.source.frame + 1
        lost = [(call.source.seq + n) & 0xFFFF for n in range(2)]
        world.run(GIVEN_UP_S)
        for seq16 in lost:
            call.source.repair(seq16)
        world.run(0.5)
        assert world.counters()["nack_filled"] == 2
        assert world.drops() == ({} if rtx else {"drop_late_for_consumer": 2})
        late = [tag.index for tag in call.received.tags() if tag.frame == frame]
        assert late == ([0, 1, 2] if rtx else [2])


@pytest.mark.parametrize("pt", [H264, AV1])
def test_a_gap_that_alone_tells_of_the_loss_stays(pt: PayloadType) -> None:
    """A decoder of H.264, or of AV1 without its descriptors, would take the pictures around it for neighbours."""
    with World() as world:
        call = Call(world, pt)
        world.run(1)
        keyframes = call.source.keyframes
        call.lose(3)
        world.run(GIVEN_UP_S)
        assert len(call.received.missing()) == 3
        assert world.counters()["nack_filled"] == 0
        assert call.source.keyframes == keyframes + 1


def test_padding_that_came_late_and_was_lost_again_is_filled_for_any_codec() -> None:
    with World() as world:
        call = Call(world, H264)
        world.run(1)
        call.source.repairs = True
        call.lose(1)
        call.source.send_payload(b"", padding=100)
        call.viewer.down.drops = lambda data: (header := probes.rtp_header(data)) is not None and header["ssrc"] == 1
        world.run(0.1)
        call.viewer.down.drops = lambda data: False
        world.run(0.5)
        assert call.received.missing() == []
        assert world.counters()["nack_filled"] == 1


@dataclass(frozen=True)
class Nals:
    """Payloads of a codec of NAL units: an aggregate of parameter sets and SEI, a slice, a key slice in two parts."""

    pt: PayloadType
    sets: tuple[bytes, ...]
    slice: bytes
    key: tuple[bytes, bytes]


AVC_SETS = b"\x67\x42\xe0\x1f\x8c\x8d\x40\x50\x1e\xd0\x0f\x08\x84\x6a", b"\x68\xce\x3c\x80", b"\x06"
AVC = Nals(H264, (b"\x18", *AVC_SETS), b"\x41\x9a", (b"\x7c\x85\x88", b"\x7c\x45"))
HEVC_SETS = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1", b"\x4e\x01"
HEVC = Nals(H265, (b"\x60\x01", *HEVC_SETS), b"\x02\x01\xd0", (b"\x62\x01\x93\xaf", b"\x62\x01\x53"))


@pytest.mark.parametrize("nals", [AVC, HEVC], ids=["h264", "h265"])
def test_a_keyframe_begins_at_parameter_sets_that_are_late(nals: Nals) -> None:
    """Behind another encoding's, a key picture without its own would be decoded with those."""
    rids = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
    head, *units = nals.sets
    units[-1] += bytes(Tag(2, 2, 0))
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = producer(nals.pt, extensions=rids, encodings=[Encoding("q"), Encoding("f")])
        watching = viewer.watch(consumer(nals.pt, ssrc=1, rtx_ssrc=2), publisher.publish(spec), spec)
        world.run(0.2)
        low = publisher.source(spec, ssrc=0x20, rtx_ssrc=0x30, rid="q")
        high = publisher.source(spec, ssrc=0x21, rtx_ssrc=0x31, rid="f")
        low.send_payload(head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in nals.sets[1:]))
        for frame in range(15):
            for label, source in enumerate((low, high), 1):
                source.send_payload(nals.slice + bytes(Tag(label, frame, 0)) + bytes(900), marker=True)
            world.run(0.04)
        world.submit(SetLayers(watching, 1))
        publisher.up.drops = lambda data: True
        high.send_payload(head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units))
        publisher.up.drops = lambda data: False
        for index, part in enumerate(nals.key, 1):
            high.send_payload(part + bytes(Tag(2, 2, index)) + bytes(300), marker=index == 2)
        world.run(1)
        tags = [tag for tag in viewer.streams[1].tags() if tag.label == 2]
        assert [(tag.frame, tag.index) for tag in tags] == [(2, 0), (2, 1), (2, 2)]
        assert viewer.streams[1].missing() == []
