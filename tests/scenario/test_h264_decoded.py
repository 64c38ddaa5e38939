"""Real H.264 in which nothing refers to every second picture: with or without those, a real decoder shows the rest."""

from __future__ import annotations

import itertools
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ci.support.scenario.packet import Packet
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import H264, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import SetLayers

Picture = NDArray[np.uint8]

SPEC = producer(H264)
SIZE = (320, 180)
FRAMES = 400
OPTIONS = {
    "preset": "ultrafast",
    "x264-params": "bframes=1:b-pyramid=none:b-adapt=0:rc-lookahead=0:keyint=infinite:scenecut=0:threads=1:aud=0",
    "forced-idr": "1",
    "crf": "30",
}
CHOICES = st.lists(st.tuples(st.sampled_from([0, 1, None]), st.integers(1, 20)), min_size=3, max_size=9)


def encode() -> list[bytes]:
    """Access units in the order of decoding: noise that moves, an IDR now and then, else P and B in turns."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = SIZE
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
    context.options = OPTIONS
    noise = np.random.default_rng(1).integers(0, 32, (SIZE[1] * 3 // 2, SIZE[0]), dtype=np.uint8)
    units = []
    for number in range(FRAMES):
        picture = av.VideoFrame.from_ndarray(np.roll(noise, number * 3, axis=1), format="yuv420p")
        picture.pts, picture.time_base = number, Fraction(1, 25)
        if number % 101 == 0:
            picture.pict_type = PictureType.I
        units += [bytes(packet) for packet in context.encode(picture)]
    return units + [bytes(packet) for packet in context.encode(None)]


def decode(units: dict[int, bytes]) -> dict[int, Picture]:
    """The pictures that a decoder shows, by the number of the access unit."""
    context = av.CodecContext.create("h264", "r")
    context.thread_count = 1
    shown = {}
    for number, unit in [*units.items(), (-1, b"")]:
        packet = av.Packet(unit) if unit else None
        if packet is not None:
            packet.pts = number
        for frame in context.decode(packet):
            assert isinstance(frame, av.VideoFrame)
            assert frame.pts is not None
            shown[frame.pts] = frame.to_ndarray().astype(np.uint8, copy=False)
    return shown


UNITS = encode()
WHOLE = decode(dict(enumerate(UNITS)))


def split(unit: bytes) -> list[bytes]:
    """The NAL units of an access unit (annex B)."""
    return [part.rstrip(b"\0") for part in unit.split(b"\0\0\1")[1:]]


def packets(unit: bytes) -> list[bytes]:
    """An aggregate of what precedes the slices, and these in fragments (RFC 6184 sections 5.7.1 and 5.8)."""
    nals = split(unit)
    head = [nal for nal in nals if nal[0] & 31 not in (1, 5)]
    payloads = [b"\x78" + b"".join(struct.pack("!H", len(nal)) + nal for nal in head)] if head else []
    for nal in nals[len(head) :]:
        for at in range(1, len(nal), 900):
            end = at + 900 >= len(nal)
            payloads.append(bytes([nal[0] & 0xE0 | 28, (at == 1) << 7 | end << 6 | nal[0] & 31]) + nal[at : at + 900])
    return payloads


class Camera(Source):
    """Sends the access units one by one."""

    def send_frame(self) -> None:
        parts = packets(UNITS[self.frame])
        self.frame += 1
        for part in parts:
            self.send_payload(part, marker=part is parts[-1])


def frames(received: Received) -> list[tuple[bytes, ...]]:
    """The packets of each frame."""
    media: list[Packet] = [packet for packet in received.ordered() if packet.payload]
    return [tuple(packet.payload for packet in group) for _, group in itertools.groupby(media, lambda p: p.timestamp)]


REFERRED = [any(nal[0] & 0x60 for nal in split(unit) if nal[0] & 31 in (1, 5)) for unit in UNITS]


def test_every_second_picture_is_referred_to_by_none() -> None:
    assert len(WHOLE) == FRAMES
    assert 0.4 * FRAMES < REFERRED.count(False) < 0.6 * FRAMES


@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(choices=CHOICES, seed=st.integers(0, 99), bad=st.booleans())
def test_a_real_decoder_shows_every_frame_as_it_was_encoded(
    choices: list[tuple[int | None, int]], seed: int, bad: bool
) -> None:
    """Bit for bit; `bad` puts 5 % loss and reordering between publisher and server."""
    with World(seed=seed) as world:
        publisher = Publisher(world, up=Link(10_000, 15_000)) if bad else Publisher(world)
        viewer = Viewer(world)
        watching = viewer.watch(consumer(H264, ssrc=1, rtx_ssrc=2), publisher.publish(SPEC), SPEC)
        received = viewer.streams[1]
        world.run(0.2)
        options: dict[str, Any] = {"ssrc": 0x20, "rtx_ssrc": 0x30}
        source = Camera(publisher, SPEC, H264, **options)
        publisher.sources[source.ssrc] = source
        source.start()
        world.run(0.2)  # nothing tells of what is lost before the first packet that comes
        publisher.up.loss, publisher.up.reorders = (0.05, True) if bad else (0.0, False)
        for temporal, ticks in choices:
            world.submit(SetLayers(watching, None, None, temporal))
            world.run(ticks * 0.04)
        world.submit(SetLayers(watching, None, None, 0))
        world.run(1)
        publisher.up.loss = 0.0
        world.run(0.5)
        source.stop()
        world.run(1)
        assert received.missing() == []
        numbers = {tuple(packets(unit)): number for number, unit in enumerate(UNITS)}
        came = [numbers.get(frame, -1) for frame in frames(received)]
        assert came == sorted(came)
        assert came[0] == 0, "a frame came in pieces"
        shown = decode({number: UNITS[number] for number in came})
        assert set(shown) == set(came), "a frame was not shown"
        assert all(np.array_equal(picture, WHOLE[number]) for number, picture in shown.items())
        assert all(REFERRED[number] for number in came[-10:]), "what nobody wanted was sent"
        assert set(range(came[-1])) - set(came) <= {number for number, kept in enumerate(REFERRED) if not kept}
