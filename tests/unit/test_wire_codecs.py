"""H.264, H.265 and AV1 payloads made from what real encoders put out, redundant audio, and hostile bytes."""

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import pytest
from aiortc.codecs.h264 import H264Encoder
from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes

PACKET_BYTES = 1100
SIZES = [(1920, 1080), (1280, 720), (854, 480), (426, 240), (322, 182)]


def encode(
    codec: str, size: tuple[int, int], options: dict[str, str], *, frames: int = 1, pix_fmt: str = "yuv420p"
) -> Iterator[bytes]:
    """The output of the encoder for a few grey pictures, frame by frame."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = pix_fmt
    context.time_base = Fraction(1, 30)
    context.options = options
    for pts in range(frames):
        picture = av.VideoFrame(*size, pix_fmt)
        for plane in picture.planes:
            plane.update(bytes([pts * 40 % 256]) * plane.buffer_size)
        picture.pts = pts
        yield from map(bytes, context.encode(picture))
    yield from map(bytes, context.encode(None))


def nal_units(access_unit: bytes) -> list[bytes]:
    """The NAL units of an Annex B stream; a trailing zero byte belongs to the next start code."""
    return [unit.rstrip(b"\0") for unit in access_unit.split(b"\0\0\1") if unit.strip(b"\0")]


def h264_payloads(access_unit: bytes) -> list[bytes]:
    packet = av.Packet(access_unit)
    packet.pts, packet.time_base = 0, Fraction(1, 90_000)
    return H264Encoder().pack(packet)[0]


def frames_of(parse: Callable[[bytes], "probes.Frame | None"], payloads: list[bytes]) -> list["probes.Frame"]:
    frames = [frame for frame in map(parse, payloads) if frame is not None]
    assert len(frames) == len(payloads)
    return frames


def size_of(frames: list["probes.Frame"]) -> tuple[int, int]:
    """The one size that the packets name."""
    (size,) = {(frame["width"], frame["height"]) for frame in frames if frame["width"]}
    return size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("profile", "pix_fmt"), [("baseline", "yuv420p"), ("high", "yuv420p"), ("high444", "yuv444p")])
def test_the_size_of_an_h264_keyframe_is_that_after_cropping(size: tuple[int, int], profile: str, pix_fmt: str) -> None:
    options = {"profile": profile, "preset": "ultrafast", "tune": "zerolatency"}
    (access_unit,) = encode("libx264", size, options, pix_fmt=pix_fmt)
    frames = frames_of(probes.h264, h264_payloads(access_unit))
    assert size_of(frames) == size
    assert frames[0]["keyframe"]
    assert frames[0]["start"]


@pytest.mark.parametrize(
    ("pix_fmt", "params"),
    [
        ("yuv420p", "interlaced=1"),
        ("yuv422p", "interlaced=1"),
        ("yuv422p", ""),
        ("yuv444p", "cqm=jvt"),
        ("yuv420p", "cqm=jvt"),
    ],
)
def test_fields_chroma_formats_and_scaling_lists_do_not_hide_the_h264_size(pix_fmt: str, params: str) -> None:
    options = {"x264-params": params, "preset": "ultrafast", "tune": "zerolatency"}
    (access_unit,) = encode("libx264", (426, 244), options, pix_fmt=pix_fmt)
    assert size_of(frames_of(probes.h264, h264_payloads(access_unit))) == (426, 244)


def test_h264_slices_start_a_frame_once_and_only_idr_frames_are_keyframes() -> None:
    options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "g": "3",
        "x264-params": "slices=3:sliced-threads=0:scenecut=0",
    }
    for number, access_unit in enumerate(encode("libx264", (320, 180), options, frames=6)):
        slices = [unit for unit in nal_units(access_unit) if unit[0] & 0x1F in (1, 5)]
        assert len(slices) == 3
        frames = frames_of(probes.h264, slices)
        assert [frame["start"] for frame in frames] == [True, False, False]
        assert [frame["keyframe"] for frame in frames] == [number % 3 == 0, False, False]


def test_only_the_first_fragment_of_an_h264_idr_is_a_keyframe() -> None:
    idr = bytes([0x65, 0x88]) + bytes(3 * PACKET_BYTES)
    payloads = h264_payloads(b"\0\0\1" + idr)
    assert len(payloads) > 2
    frames = frames_of(probes.h264, payloads)
    assert [frame["keyframe"] for frame in frames] == [True] + [False] * (len(frames) - 1)
    assert [frame["start"] for frame in frames] == [True] + [False] * (len(frames) - 1)


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


PREFIX = b"\x6e\x80\x80\x47"  # temporal_id 2
SPS, PPS = b"\x67\x42\x00\x1e", b"\x68\xce\x01\x02"


@pytest.mark.parametrize(
    ("payload", "temporal", "sync"),
    [
        (b"\x41\x9a", 0, False),
        (b"\x01\x9a", 1, True),  # nal_ref_idc is 0
        (b"\x1c\x81\x9a", 1, True),
        (b"\x1c\x41", 1, True),  # the last fragment
        (b"\x7c\x01", 0, False),
        (stap_a(SPS, PPS, b"\x65\x88"), 0, False),
        (stap_a(b"\x06\x05", b"\x01\x9a"), 1, True),
        (PREFIX, 2, False),
        (stap_a(PREFIX, b"\x41\x9a"), 2, False),
        (b"\x6e\x00\x80\x47", None, False),  # MVC's, not SVC's
        (b"\x6e\x80\x80", None, False),
        (SPS, None, False),
        (b"\x06\x05", None, False),
    ],
)
def test_what_an_h264_packet_tells_of_its_temporal_layer(payload: bytes, temporal: int | None, sync: bool) -> None:
    frame = probes.h264(payload)
    assert frame is not None
    assert (frame["temporal"] if frame["has_layers"] else None) == temporal
    assert frame["layer_sync"] == sync
    assert frame["prefixed"] == (temporal == 2)


@pytest.mark.parametrize(
    ("payload", "loose"),
    [
        (b"\x09\x10", True),
        (b"\x06\x05", True),
        (stap_a(b"\x09\x10", b"\x06\x05"), True),
        (stap_a(b"\x09\x10", SPS), False),
        (stap_a(b"\x09\x10", b"\x01\x9a"), False),
        (PREFIX, False),
        (b"\x1c\x41", False),
    ],
)
def test_an_h264_packet_without_slices_or_parameter_sets_is_of_no_picture(payload: bytes, loose: bool) -> None:
    frame = probes.h264(payload)
    assert frame is not None
    assert frame["loose"] == loose


@pytest.mark.parametrize("cut", range(1, 12))
def test_an_h264_aggregate_that_overruns_is_refused(cut: int) -> None:
    units = [b"\x67\x42\x00\x1e", b"\x68\xce\x01\x02"]
    payload = b"\x18" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
    assert probes.h264(payload) is not None
    assert (probes.h264(payload[:-cut]) is None) == (cut != 2 + len(units[1]))


def h265_payloads(access_unit: bytes) -> list[bytes]:
    """Parameter sets aggregated, what is larger than a packet fragmented (RFC 7798 section 4.4)."""
    units = nal_units(access_unit)
    small = [unit for unit in units if len(unit) < PACKET_BYTES // 4]
    payloads = [b"\x60\x01" + b"".join(struct.pack("!H", len(unit)) + unit for unit in small)] if small else []
    for unit in units:
        if len(unit) < PACKET_BYTES // 4:
            continue
        kind, body = unit[0] >> 1 & 0x3F, unit[2:]
        pieces = [body[at : at + PACKET_BYTES] for at in range(0, len(body), PACKET_BYTES)]
        for i, piece in enumerate(pieces):
            fu_header = (i == 0) << 7 | (i == len(pieces) - 1) << 6 | kind
            payloads.append(bytes([unit[0] & 0x81 | 49 << 1, unit[1], fu_header]) + piece)
    return payloads


def test_h265_keyframes_are_irap_pictures_and_their_parameter_sets() -> None:
    params = "log-level=none:keyint=3:min-keyint=3:scenecut=0:bframes=0:pools=none:frame-threads=1:repeat-headers=1"
    options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": params}
    access_units = list(encode("libx265", (320, 180), options, frames=6))
    assert len(access_units) == 6
    for number, access_unit in enumerate(access_units):
        frames = frames_of(probes.h265, h265_payloads(access_unit))
        assert frames[0]["start"]
        assert frames[0]["keyframe"] == (number % 3 == 0)
        slices = frames_of(probes.h265, [unit for unit in nal_units(access_unit) if unit[0] >> 1 & 0x3F < 32])
        assert [frame["keyframe"] for frame in slices] == [number % 3 == 0]
        assert [frame["start"] for frame in slices] == [True]


def test_an_h265_irap_is_a_keyframe_at_its_first_fragment_only() -> None:
    payloads = h265_payloads(b"\0\0\1" + bytes([19 << 1, 3, 0x80]) + b"\x55" * 3 * PACKET_BYTES)
    frames = frames_of(probes.h265, payloads)
    assert [frame["keyframe"] for frame in frames] == [True] + [False] * (len(frames) - 1)
    assert {frame["temporal"] for frame in frames} == {2}


def leb128(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def obus(temporal_unit: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of each OBU of a low-overhead stream, without the size field that RTP leaves out."""
    at = 0
    while at < len(temporal_unit):
        header, at = temporal_unit[at], at + 1
        assert header & 0x06 == 0x02, "the encoder writes sizes and no layers"
        size = shift = 0
        while True:
            byte, at = temporal_unit[at], at + 1
            size, shift = size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        yield header >> 3, bytes([header & ~0x02]) + temporal_unit[at : at + size]
        at += size


def av1_packet(elements: list[bytes], *, lengths: bool, new: bool = True, layers: int | None = None) -> bytes:
    """One AV1 packet of whole OBUs: each with its length (W = 0), or the last without."""
    if layers is not None:
        elements = [bytes([element[0] | 0x04, layers]) + element[1:] for element in elements]
    head = bytes([(0 if lengths else len(elements)) << 4 | new << 3])
    told = elements if lengths else elements[:-1]
    return head + b"".join(leb128(len(element)) + element for element in told) + b"".join(elements[len(told) :])


@pytest.fixture(scope="module", params=[(320, 180), (1280, 720)])
def av1_stream(request: pytest.FixtureRequest) -> tuple[tuple[int, int], list[list[tuple[int, bytes]]]]:
    options = {"preset": "12", "svtav1-params": "pred-struct=1:lp=1:keyint=3"}
    units = [list(obus(unit)) for unit in encode("libsvtav1", request.param, options, frames=6)]
    return request.param, [[obu for obu in unit if obu[0] != 2] for unit in units]


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("layers", [None, 2 << 5 | 1 << 3])
def test_av1_sequence_headers_give_the_size(
    av1_stream: tuple[tuple[int, int], list[list[tuple[int, bytes]]]], lengths: bool, layers: int | None
) -> None:
    size, units = av1_stream
    sized = []
    for unit in units:
        frame = probes.av1(av1_packet([data for _, data in unit], lengths=lengths, layers=layers))
        assert frame is not None
        assert frame["start"]
        assert frame["keyframe"]  # as `new` says
        assert (frame["temporal"], frame["spatial"]) == ((2, 1) if layers else (0, 0))
        sized.append((frame["width"], frame["height"]) == size)
    assert sized == [any(kind == 1 for kind, _ in unit) for unit in units]
    assert sized[0]


def test_an_av1_obu_over_several_packets_starts_once(
    av1_stream: tuple[tuple[int, int], list[list[tuple[int, bytes]]]],
) -> None:
    _, units = av1_stream
    packet = av1_packet([data for _, data in units[0]], lengths=False)
    half = len(packet) - 5
    first = probes.av1(bytes([packet[0] | 0x40]) + packet[1:half])
    second = probes.av1(b"\x90" + packet[half:])
    assert first is not None
    assert second is not None
    assert (first["start"], first["keyframe"], first["width"]) == (True, True, size_of([first])[0])
    assert (second["start"], second["keyframe"]) == (False, False)


def test_a_cut_av1_sequence_header_gives_no_size(
    av1_stream: tuple[tuple[int, int], list[list[tuple[int, bytes]]]],
) -> None:
    _, units = av1_stream
    kind, header = units[0][0]
    assert kind == 1
    for cut in range(1, len(header)):
        frame = probes.av1(bytes([0x40 | 0x10 | 0x08]) + header[:cut])
        assert frame is not None
        assert frame["width"] == 0


@pytest.mark.parametrize("payload", ["", "00", "0005", "000230", "200230", "3001300230", "00ffffffffff"])
def test_an_av1_element_that_overruns_is_refused(payload: str) -> None:
    assert probes.av1(bytes.fromhex(payload)) is None
    assert probes.av1(bytes.fromhex("2002300030")) is not None


@given(st.booleans(), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF), st.booleans(), st.binary(max_size=4))
def test_the_mandatory_fields_of_a_dependency_descriptor_are_read(
    start: bool, end: bool, template_id: int, frame_number: int, structure: bool, rest: bytes
) -> None:
    head = struct.pack("!BH", start << 7 | end << 6 | template_id, frame_number)
    assert probes.dd(head + (bytes([structure << 7]) + rest if structure else b"")) == {
        "start_of_frame": start,
        "end_of_frame": end,
        "template_id": template_id,
        "frame_number": frame_number,
        "has_structure": structure,
    }
    assert probes.dd(head[:2]) is None


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=40)), max_size=15), st.binary(max_size=40))
def test_the_newest_block_of_redundant_audio_is_found(older: list[tuple[int, bytes]], newest: bytes) -> None:
    headers = b"".join(struct.pack("!I", (0x80 | 111) << 24 | ticks << 10 | len(block)) for ticks, block in older)
    headers += bytes([111])
    payload = headers + b"".join(block for _, block in older) + newest
    assert probes.red(payload) == {
        "headers_len": len(headers),
        "primary_offset": len(payload) - len(newest),
        "primary_pt": 111,
    }
    for cut in range(len(payload) - len(newest)):
        assert probes.red(payload[:cut]) is None


@pytest.mark.parametrize("parse", [probes.h264, probes.h265, probes.av1])
@given(
    head=st.sampled_from([b"", b"\x67\x64\x00\x1f", b"\x18\x00\x09\x67", b"\x60\x01", b"\x10\x08"]), noise=st.binary()
)
def test_any_bytes_are_refused_or_read(
    parse: Callable[[bytes], "probes.Frame | None"], head: bytes, noise: bytes
) -> None:
    frame = parse(head + noise)
    if frame is not None:
        assert (frame["width"] == 0) == (frame["height"] == 0)
        assert not frame["has_picture_id"]
