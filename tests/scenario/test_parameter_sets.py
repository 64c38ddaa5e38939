"""H.264 whose parameter sets come only at the start, as from some cameras: late viewers decode it all the same."""

from __future__ import annotations

import itertools
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from ci.support.scenario.packet import Packet
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import H264, consumer, producer
from ci.support.scenario.viewer import FIRST_SEQ, Received, Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import AddRelayedProducer, AddRelayTarget

SPEC = producer(H264)
SIZE = (320, 180)
FRAMES = 200
KEYFRAME_EVERY = 50
SPS, PPS, IDR = 7, 8, 5


def encode() -> list[list[bytes]]:
    """The NAL units of each access unit; an IDR picture every KEYFRAME_EVERY, parameter sets with the first alone."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = SIZE
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "x264-params": "keyint=infinite",
    }
    noise = np.random.default_rng(1).integers(0, 10, (SIZE[1] * 3 // 2, SIZE[0]), dtype=np.uint8)
    units: list[list[bytes]] = []
    for number in range(FRAMES):
        picture = av.VideoFrame.from_ndarray(np.roll(noise, number * 3, axis=1), format="yuv420p")
        picture.pts, picture.time_base = number, Fraction(1, 25)
        if number % KEYFRAME_EVERY == 0:
            picture.pict_type = PictureType.I
        for packet in context.encode(picture):
            nals = [part.rstrip(b"\0") for part in bytes(packet).split(b"\0\0\1")[1:]]
            units.append(nals if not units else [nal for nal in nals if nal[0] & 31 not in (SPS, PPS)])
    return units


UNITS = encode()


def fragments(nal: bytes) -> list[bytes]:
    if len(nal) <= 900:
        return [nal]
    starts = range(1, len(nal), 900)
    return [
        bytes([nal[0] & 0xE0 | 28, (at == 1) << 7 | (at + 900 >= len(nal)) << 6 | nal[0] & 31]) + nal[at : at + 900]
        for at in starts
    ]


class Camera(Source):
    """Sends the access units; `together` aggregates the parameter sets into one packet, else each goes alone."""

    together = True
    changed: tuple[int, list[bytes]] | None = None  # other sets, alone, with the frame of that number

    def send_frame(self) -> None:
        nals = UNITS[self.frame]
        if self.changed is not None and self.frame == self.changed[0]:
            nals = [*self.changed[1], *nals]
        self.frame += 1
        sets = [nal for nal in nals if nal[0] & 31 in (SPS, PPS)]
        rest = [nal for nal in nals if nal[0] & 31 not in (SPS, PPS)]
        parts = [b"\x78" + b"".join(struct.pack("!H", len(nal)) + nal for nal in sets)] if sets else []
        if not self.together:
            parts = sets
        parts += [part for nal in rest for part in fragments(nal)]
        for part in parts:
            self.send_payload(part, marker=part is parts[-1])


def annex_b(received: Received) -> list[bytes]:
    """The access units that a viewer got, as a decoder takes them."""
    media = [packet for packet in received.ordered() if packet.payload]
    return [unit(list(group)) for _, group in itertools.groupby(media, lambda packet: packet.timestamp)]


def unit(packets: list[Packet]) -> bytes:
    out = b""
    for packet in packets:
        payload, kind = packet.payload, packet.payload[0] & 31
        if kind == 24:
            at = 1
            while at < len(payload):
                (size,) = struct.unpack_from("!H", payload, at)
                out += b"\0\0\0\1" + payload[at + 2 : at + 2 + size]
                at += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                out += b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 31])
            out += payload[2:]
        else:
            out += b"\0\0\0\1" + payload
    return out


def shown(units: list[bytes]) -> int:
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    count = 0
    for packet in [*(av.Packet(data) for data in units), None]:
        count += len(context.decode(packet))
    return count


def camera(publisher: Publisher, *, together: bool = True) -> Camera:
    source = Camera(publisher, SPEC, H264, ssrc=0x20, rtx_ssrc=0x30)
    source.together, source.obeys = together, False
    publisher.sources[source.ssrc] = source
    source.start()
    return source


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("rtx_ssrc", [0, 2])
def test_a_late_viewer_decodes_every_frame(together: bool, rtx_ssrc: int) -> None:
    """From the cache, and over a link that loses packets, the parameter sets too."""
    with World(seed=5, pool_packets=8192) as world:
        publisher = Publisher(world)
        video = publisher.publish(SPEC)
        camera(publisher, together=together)
        world.run(KEYFRAME_EVERY * 0.04 + 1)
        for number in range(3):
            viewer = Viewer(world, down=Link(delay_us=10_000, loss=0.15))
            viewer.watch(consumer(H264, ssrc=1, rtx_ssrc=rtx_ssrc), video, SPEC)
            world.run(0.2)
            viewer.down.loss = 0.0
            world.run(0.3)
            received = viewer.streams[1]
            for _ in range(4):
                lost = sorted({*range(FIRST_SEQ, received.highest)} - {*received.packets})
                if lost:
                    viewer.nack(1, lost)
                world.run(0.1)
            units = annex_b(received)
            assert FIRST_SEQ in received.packets
            assert received.missing() == [], number
            assert len(units) > 20
            assert shown(units) == len(units), number
        assert world.counters()["parameter_sets_out"] == 3


def test_a_viewer_that_was_there_from_the_start_gets_them_once() -> None:
    with World(pool_packets=8192) as world:
        publisher = Publisher(world)
        viewer = Viewer(world)
        viewer.watch(consumer(H264, ssrc=1), publisher.publish(SPEC), SPEC)
        world.run(0.2)
        camera(publisher)
        world.run(3)
        units = annex_b(viewer.streams[1])
        assert shown(units) == len(units) > 60
        assert world.counters()["parameter_sets_out"] == 0


def test_viewers_on_another_worker_get_them_though_it_joins_later() -> None:
    with World(nodes=2, pool_packets=8192) as world:
        publisher = Publisher(world)
        video = publisher.publish(SPEC)
        camera(publisher)
        world.run(KEYFRAME_EVERY * 0.04 + 1)
        copy = world.submit(AddRelayedProducer(0, video, SPEC), 1)
        world.submit(AddRelayTarget(video, 1, copy))
        viewer = Viewer(world, node=1)
        viewer.watch(consumer(H264, ssrc=1), copy, SPEC)
        world.run(1)
        units = annex_b(viewer.streams[1])
        assert shown(units) == len(units) > 20


def test_the_newest_sets_are_sent() -> None:
    sets = [nal for nal in UNITS[0] if nal[0] & 31 in (SPS, PPS)]
    other = [sets[0], sets[1] + b"\x80"]  # the same id, another content
    with World(pool_packets=8192) as world:
        publisher = Publisher(world)
        video = publisher.publish(SPEC)
        camera(publisher).changed = (10, other)
        world.run(KEYFRAME_EVERY * 0.04 + 1)
        viewer = Viewer(world)
        viewer.watch(consumer(H264, ssrc=1), video, SPEC)
        world.run(0.5)
        first = viewer.streams[1].ordered()[0].payload
        assert first == b"\x78" + b"".join(struct.pack("!H", len(nal)) + nal for nal in other)
