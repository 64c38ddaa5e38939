"""VP8 and VP9 payload descriptors: against aiortc's, a real encoder, and descriptors written here field by field."""

import dataclasses
import struct
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import av
import pytest
from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes

U7, U8, U15, U16 = st.integers(0, 0x7F), st.integers(0, 0xFF), st.integers(0, 0x7FFF), st.integers(0, 0xFFFF)
VP8_KEYFRAME = bytes.fromhex("50420f9d012a") + struct.pack("<HH", 1280 | 1 << 14, 720 | 2 << 14)


@given(
    st.integers(0, 1),
    st.integers(0, 7),
    st.none() | U15,
    st.none() | U8,
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    st.none() | st.integers(0, 31),
)
def test_a_vp8_descriptor_of_another_implementation_is_read(
    start: int, partition: int, picture_id: int | None, tl0: int | None, tid: tuple[int, int] | None, keyidx: int | None
) -> None:
    descriptor = bytes(VpxPayloadDescriptor(start, partition, picture_id, tl0, tid, keyidx))
    payload = descriptor + VP8_KEYFRAME
    frame = probes.vp8(payload)
    assert frame is not None
    first = bool(start) and partition == 0
    assert frame["start"] == frame["keyframe"] == first
    assert (frame["width"], frame["height"]) == ((1280, 720) if first else (0, 0))
    assert frame["temporal"] == (tid[0] if tid else 0)
    assert (frame["has_picture_id"], frame["has_tl0"]) == (picture_id is not None, tl0 is not None)
    if picture_id is not None:
        at = frame["picture_id_offset"]
        assert (frame["picture_id"], frame["picture_id_bits"]) == (picture_id, 15)
        assert payload[at : at + 2] == struct.pack("!H", 0x8000 | picture_id)
    if tl0 is not None:
        assert frame["tl0_pic_idx"] == payload[frame["tl0_offset"]] == tl0
    assert frame["has_keyidx"] == (keyidx is not None)
    if keyidx is not None:
        assert frame["keyidx"] == payload[frame["keyidx_offset"]] & 0x1F == keyidx
    for cut in range(len(descriptor)):
        assert probes.vp8(descriptor[:cut]) is None


@given(U7)
def test_a_vp8_picture_id_of_7_bits_is_told_from_one_of_15(picture_id: int) -> None:
    frame = probes.vp8(bytes([0x90, 0x80, picture_id, 0]))
    assert frame is not None
    assert (frame["picture_id"], frame["picture_id_bits"], frame["picture_id_offset"]) == (picture_id, 7, 2)


def test_vp8_from_a_real_encoder_starts_each_frame_once_and_keyframes_carry_the_size() -> None:
    encoder = Vp8Encoder()
    keyframes, picture_ids = [], []
    for pts in range(6):
        picture = av.VideoFrame(320, 180, "yuv420p")
        picture.pts, picture.time_base = pts * 3000, Fraction(1, 90_000)
        payloads, _ = encoder.encode(picture, force_keyframe=pts == 4)
        frames = [frame for frame in map(probes.vp8, payloads) if frame is not None]
        assert len(frames) == len(payloads)
        assert [frame["start"] for frame in frames] == [True] + [False] * (len(frames) - 1)
        picture_ids.append(frames[0]["picture_id"])
        if frames[0]["keyframe"]:
            keyframes.append(pts)
            assert (frames[0]["width"], frames[0]["height"]) == (320, 180)
    assert keyframes == [0, 4]
    assert [(after - before) & 0x7FFF for before, after in pairwise(picture_ids)] == [1] * 5


@dataclasses.dataclass(frozen=True)
class Vp9:
    """The fields of RFC 9628 section 4.2; None leaves an optional one out."""

    picture_id: tuple[int, int] | None  # value and bits
    inter: bool
    layers: tuple[int, int] | None  # temporal and spatial
    flexible: bool
    start: bool
    tl0: int
    references: int
    sizes: list[tuple[int, int]] | None
    group: list[int] | None  # how many references each picture of the group has
    structure: bool

    def __bytes__(self) -> bytes:
        flags = [self.picture_id, self.inter, self.layers, self.flexible, self.start, False, self.structure, False]
        head = sum(0x80 >> bit for bit, flag in enumerate(flags) if flag not in (None, False))
        out = bytes([head])
        if self.picture_id:
            value, bits = self.picture_id
            out += struct.pack("!H", 0x8000 | value) if bits == 15 else bytes([value])
        if self.layers:
            out += bytes([self.layers[0] << 5 | self.layers[1] << 1])
            out += b"" if self.flexible else bytes([self.tl0])
        if self.flexible and self.inter:
            out += bytes(7 << 1 | (i + 1 < self.references) for i in range(self.references))
        return out + (self.scalability() if self.structure else b"")

    def scalability(self) -> bytes:
        spatial = len(self.sizes) if self.sizes else 1
        out = bytes([(spatial - 1) << 5 | (self.sizes is not None) << 4 | (self.group is not None) << 3])
        out += b"".join(struct.pack("!HH", *size) for size in self.sizes or [])
        if self.group is not None:
            out += bytes([len(self.group)])
            out += b"".join(bytes([count << 2]) + bytes(count) for count in self.group)
        return out


VP9 = st.builds(
    Vp9,
    st.none() | st.tuples(U15, st.just(15)) | st.tuples(U7, st.just(7)),
    st.booleans(),
    st.none() | st.tuples(st.integers(0, 7), st.integers(0, 7)),
    st.booleans(),
    st.booleans(),
    U8,
    st.integers(1, 3),
    st.none() | st.lists(st.tuples(U16, U16), min_size=1, max_size=8),
    st.none() | st.lists(st.integers(0, 3), max_size=20),
    st.booleans(),
)


@given(VP9)
def test_every_shape_of_a_vp9_descriptor_is_read(written: Vp9) -> None:
    descriptor = bytes(written)
    frame = probes.vp9(descriptor + b"body")
    assert frame is not None
    temporal, spatial = written.layers or (0, 0)
    assert (frame["temporal"], frame["spatial"], frame["start"]) == (temporal, spatial, written.start)
    assert frame["keyframe"] == (written.start and not written.inter and spatial == 0)
    assert frame["has_picture_id"] == (written.picture_id is not None)
    if written.picture_id:
        assert (frame["picture_id"], frame["picture_id_bits"]) == written.picture_id
        assert frame["picture_id_offset"] == 1
    assert frame["has_tl0"] == (written.layers is not None and not written.flexible)
    if frame["has_tl0"]:
        assert frame["tl0_pic_idx"] == descriptor[frame["tl0_offset"]] == written.tl0
    assert frame["ref_count"] == (written.references if written.flexible and written.inter else 0)
    named = descriptor[frame["refs_offset"] :][: frame["ref_count"]]
    assert {reference >> 1 for reference in named} <= {7}
    sizes = (written.sizes if written.structure else None) or [(0, 0)]
    assert frame["width"] * frame["height"] == max(width * height for width, height in sizes)
    assert frame["size_count"] == (len(written.sizes or []) if written.structure else 0)
    told = descriptor[frame["sizes_offset"] :][: 4 * frame["size_count"]]
    assert list(struct.iter_unpack("!HH", told)) == ((written.sizes or []) if written.structure else [])
    for cut in range(len(descriptor)):
        assert probes.vp9(descriptor[:cut]) is None


def test_a_vp9_picture_has_at_most_three_references() -> None:
    assert probes.vp9(bytes([0x50, 3, 3, 2])) is not None
    assert probes.vp9(bytes([0x50, 3, 3, 3, 2])) is None


@pytest.mark.parametrize("parse", [probes.vp8, probes.vp9])
@given(noise=st.binary(max_size=40))
def test_any_bytes_are_refused_or_read_within_their_bounds(
    parse: Callable[[bytes], "probes.Frame | None"], noise: bytes
) -> None:
    frame = parse(noise)
    if frame is not None:
        assert not frame["has_picture_id"] or frame["picture_id_offset"] + frame["picture_id_bits"] // 8 < len(noise)
        assert not frame["has_tl0"] or frame["tl0_offset"] < len(noise)
        assert frame["start"] or not frame["keyframe"]


@pytest.mark.parametrize(
    ("first", "ids", "alone"),
    [
        (0x28, 0x00, False),  # P 0; Z 0: the layer above refers to this one
        (0x29, 0x00, True),
        (0x29, 0x03, False),  # spatial layer 1, D: it refers to the one below
        (0x29, 0x02, True),
        (0x28, 0x02, True),
        (0x69, 0x02, False),  # P 1: of a picture in between k-SVC says no more
    ],
)
def test_whether_spatial_layers_refer_to_each_other_is_told_by_intra_pictures(
    first: int, ids: int, alone: bool
) -> None:
    """VP9's Z and D (RFC 9628 section 4.2)."""
    frame = probes.vp9(bytes([first, ids, 7]))
    assert frame is not None
    assert (frame["independent_layers"], frame["intra"]) == (alone, not first & 0x40)


def test_what_layers_may_be_taken_up_or_end_at() -> None:
    """VP8's Y (RFC 7741 section 4.2); VP9's U and E (RFC 9628 section 4.2); neither has layers unless it names them."""
    base_alone = probes.vp8(b"\x90\x20\x60" + b"\x11\x00\x00")
    higher_too = probes.vp8(b"\x90\x20\x80" + b"\x11\x00\x00")
    unlayered = probes.vp8(b"\x90\x00" + b"\x11\x00\x00")
    assert base_alone
    assert higher_too
    assert unlayered
    assert (base_alone["has_layers"], base_alone["temporal"], base_alone["layer_sync"]) == (True, 1, True)
    assert (higher_too["has_layers"], higher_too["temporal"], higher_too["layer_sync"]) == (True, 2, False)
    assert not unlayered["has_layers"]
    up = probes.vp9(b"\x6c\x32\x07")  # P, L, B and E; T 1, U, S 1
    inside = probes.vp9(b"\x60\x22\x07")
    assert up
    assert inside
    assert (up["temporal"], up["spatial"], up["switch_up"], up["start"], up["end"]) == (1, 1, True, True, True)
    assert (inside["switch_up"], inside["start"], inside["end"]) == (False, False, False)
