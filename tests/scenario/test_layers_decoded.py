"""Real VP8 with temporal layers, in simulcast: whatever is chosen, a real decoder shows it as the encoder meant it."""

from __future__ import annotations

import itertools
import struct
from contextlib import nullcontext
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
from ci.support.scenario.specs import PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Encoding, Extension, SetLayers
from fanwire.fastpath.testing import probes

Picture = NDArray[np.uint8]

SPEC = producer(
    VP8,
    extensions=PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11},
    encodings=[Encoding("q"), Encoding("f")],
)
SIZES = [(160, 90), (320, 180)]
CYCLE = [0, 2, 1, 2]  # temporal layers; only the last refers to what is not of the lowest
LAYERS = (
    "ts_number_layers=3:ts_target_bitrate=120,180,300:ts_rate_decimator=4,2,1:"
    "ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3"
)
CHOICES = st.lists(
    st.tuples(st.sampled_from([0, 1, None]), st.integers(0, 2), st.integers(2, 30)), min_size=3, max_size=9
)


def encoder(size: tuple[int, int]) -> av.VideoCodecContext:
    context = av.CodecContext.create("libvpx", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
    context.bit_rate, context.gop_size, context.thread_count = 300_000, 100_000, 1
    context.options = {
        "deadline": "realtime", "cpu-used": "8", "error-resilient": "default", "lag-in-frames": "0",
        "auto-alt-ref": "0", "ts-parameters": LAYERS,
    }  # fmt: skip
    return context


def decoder() -> av.VideoCodecContext:
    context = av.CodecContext.create("vp8", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    return context


class Camera(Source):
    """Encodes noise that moves. `shown` has the picture of each coded frame where all of them are decoded."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        width, height = self.size
        self.noise = np.random.default_rng(self.label).integers(0, 128, (height * 3 // 2, width), dtype=np.uint8)
        self.encoder, self.decoder = encoder(self.size), decoder()
        self.shown: dict[bytes, Picture] = {}

    def send_frame(self) -> None:
        step = self.frame % len(CYCLE)
        picture = av.VideoFrame.from_ndarray(np.roll(self.noise, self.frame * 3, axis=1), format="yuv420p")
        picture.pts, picture.time_base = self.frame, Fraction(1, 25)
        if self.keyframe_due and step == 0:
            picture.pict_type = PictureType.I
            self.keyframe_due = False
        (packet,) = self.encoder.encode(picture)
        (whole,) = self.decoder.decode(packet)
        coded = bytes(packet)
        self.shown[coded] = whole.to_ndarray().astype(np.uint8, copy=False)
        self.frame += 1
        self.picture_id += 1
        self.tl0 += step == 0
        ids = struct.pack(
            "!HBB", 0x8000 | self.picture_id & 0x7FFF, self.tl0 & 0xFF, CYCLE[step] << 6 | (step in (1, 2)) << 5
        )
        for at in range(0, len(coded), 900):
            part = bytes([0x80 | (at == 0) << 4, 0xE0]) + ids + coded[at : at + 900]
            self.send_payload(part, marker=at + 900 >= len(coded))


def camera(publisher: Publisher, number: int) -> Camera:
    made = Camera(
        publisher, SPEC, SPEC.payload_types[0], ssrc=0x20 + number, rtx_ssrc=0x30 + number, rid="qf"[number],
        label=number + 1, size=SIZES[number], seq=30_000 * number + 65_400, timestamp=number << 30,
    )  # fmt: skip
    publisher.sources[made.ssrc] = made
    return made


def persist(world: World, viewer: Viewer, received: Received) -> None:
    """Asks again for what is missing, as a receiver does before it gives up."""

    def ask() -> bool:
        if missing := received.missing():
            viewer.nack(received.spec.ssrc, missing[:60])
        return True

    world.every(100_000, ask)


def frames(received: Received) -> list[bytes]:
    """Each frame, put together from its packets (RFC 7741 section 4.5)."""
    media: list[Packet] = [packet for packet in received.ordered() if packet.payload]
    return [
        b"".join(packet.payload[6:] for packet in group) for _, group in itertools.groupby(media, lambda p: p.timestamp)
    ]


# Not made smaller where it fails: each example takes a second.
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(choices=CHOICES, seed=st.integers(0, 99), bad=st.booleans())
def test_a_real_decoder_shows_every_frame_as_it_was_encoded(
    choices: list[tuple[int | None, int, int]], seed: int, bad: bool
) -> None:
    """Bit for bit, under any order of choices; `bad` puts 5 % loss and reordering between publisher and server."""
    with World(seed=seed) as world:
        publisher, viewer = Publisher(world), Viewer(world)
        watching = viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), publisher.publish(SPEC), SPEC)
        received = viewer.streams[1]
        persist(world, viewer, received)
        world.run(0.2)
        cameras = [camera(publisher, number) for number in range(2)]
        for source in cameras:
            source.start()
        world.run(0.2)
        with publisher.up.bad() if bad else nullcontext():
            world.run(1)
            for encoding, temporal, ticks in choices:
                world.submit(SetLayers(watching, encoding, None, temporal))
                world.run(ticks * 0.04)
            world.submit(SetLayers(watching, 0, None, 0))
            world.run(2)
        world.run(0.5)
        for source in cameras:
            source.stop()
        world.run(1)
        assert received.missing() == []
        check(received, cameras)


def check(received: Received, cameras: list[Camera]) -> None:
    shown = {coded: picture for source in cameras for coded, picture in source.shown.items()}
    eyes, sizes = decoder(), []
    came = frames(received)
    for coded, after in itertools.pairwise([*came, b""]):
        if coded not in shown:
            # Another encoding does not wait for the rest of a frame that is still on its way.
            frame = probes.vp8(bytes([0x10]) + after)
            assert frame is not None
            assert frame["keyframe"]
            continue
        (picture,) = eyes.decode(av.Packet(coded))
        assert np.array_equal(picture.to_ndarray(), shown[coded]), "a frame is not as it was encoded"
        sizes.append((picture.width, picture.height))
    assert len(sizes) > 25
    assert sizes[-5:] == [SIZES[0]] * 5
