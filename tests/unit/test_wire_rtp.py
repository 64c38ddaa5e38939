"""RTP headers and header extensions against aiortc, the figures of RFC 8285, and hostile bytes."""

import struct
from itertools import pairwise

import pytest
from aiortc.rtp import RtpPacket, pack_header_extensions, unpack_header_extensions
from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
ONE_BYTE_ELEMENTS = st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=20)
TWO_BYTE_ELEMENTS = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=20)


def packet_with(profile: int, block: bytes) -> bytes:
    """An RTP packet with this header extension and nothing else."""
    return struct.pack("!BBHII", 0x90, 96, 1, 2, 3) + struct.pack("!HH", profile, len(block) // 4) + block


def test_datagrams_are_told_apart_by_their_first_bytes() -> None:
    kinds = {first: probes.demux(bytes([first, 0])) for first in range(256)}
    changes = [(first, kinds[first]) for before, first in pairwise(kinds) if kinds[before] != kinds[first]]
    assert kinds[0] == "stun"
    assert changes == [(4, "unknown"), (20, "dtls"), (64, "unknown"), (128, "rtp"), (192, "unknown")]
    seconds = [probes.demux(bytes([128, second])) for second in range(256)]
    assert [second for second in range(256) if seconds[second] == "rtcp"] == list(range(192, 224))
    assert probes.demux(b"") == probes.demux(b"\x80") == "unknown"


@given(
    st.builds(RtpPacket, st.integers(0, 127), st.integers(0, 1), U16, U32, U32, st.binary(max_size=50)),
    st.lists(U32, max_size=15),
    st.integers(0, 255),
    ONE_BYTE_ELEMENTS | TWO_BYTE_ELEMENTS,
)
def test_a_packet_of_another_implementation_is_read(
    theirs: RtpPacket, csrcs: list[int], padding: int, elements: list[tuple[int, bytes]]
) -> None:
    theirs.csrc, theirs.padding_size = csrcs, padding
    plain = theirs.serialize()
    profile, block = pack_header_extensions(elements)
    at = 12 + 4 * len(csrcs)
    extension = struct.pack("!HH", profile, len(block) // 4) + block if elements else b""
    data = bytes([plain[0] | (0x10 if elements else 0)]) + plain[1:at] + extension + plain[at:]
    ours = probes.rtp_parse(data)
    assert ours is not None
    assert ours["ssrc"] == theirs.ssrc
    assert ours["timestamp"] == theirs.timestamp
    assert ours["seq16"] == theirs.sequence_number
    assert (ours["payload_type"], ours["marker"]) == (theirs.payload_type, bool(theirs.marker))
    assert ours["padding_len"] == padding
    assert ours["ext_profile"] == profile
    assert data[ours["ext_offset"] :][: ours["ext_len"]] == block if elements else ours["ext_len"] == 0
    assert data[ours["header_len"] :][: ours["payload_len"]] == theirs.payload
    assert probes.ext_read(data) == elements


@given(st.booleans(), st.booleans(), st.integers(0, 127), U16, U32, U32)
def test_a_written_header_is_read_by_another_implementation(
    padding: bool, marker: bool, payload_type: int, seq16: int, timestamp: int, ssrc: int
) -> None:
    header = probes.rtp_write(
        padding=padding,
        extension=False,
        marker=marker,
        payload_type=payload_type,
        seq16=seq16,
        timestamp=timestamp,
        ssrc=ssrc,
    )
    theirs = RtpPacket.parse(header + b"payload" + (b"\0\0\3" if padding else b""))
    assert (theirs.payload, theirs.padding_size) == (b"payload", 3 if padding else 0)
    assert (bool(theirs.marker), theirs.payload_type) == (marker, payload_type)
    assert (theirs.sequence_number, theirs.timestamp, theirs.ssrc) == (seq16, timestamp, ssrc)


@pytest.mark.parametrize("padding", [0, 5, 255])
def test_a_padding_count_must_fit_behind_the_header(padding: int) -> None:
    packet = struct.pack("!BBHII", 0xA0, 96, 1, 2, 3) + bytes([0, 0, 0, padding])
    assert probes.rtp_header(packet) is not None
    assert probes.rtp_parse(packet) is None
    assert probes.rtp_parse(packet[:12]) is None


def test_the_one_byte_form_is_read_as_in_rfc_8285() -> None:
    block = bytes([0x10, 0xA1, 0x21, 0xB1, 0xB2, 0, 0, 0x33, 1, 2, 3, 4])
    assert probes.ext_read(packet_with(0xBEDE, block)) == [(1, b"\xa1"), (2, b"\xb1\xb2"), (3, b"\1\2\3\4")]


@pytest.mark.parametrize("appbits", [0, 5, 15])
def test_the_two_byte_form_is_read_as_in_rfc_8285_whatever_its_appbits(appbits: int) -> None:
    block = bytes([1, 0, 2, 1, 0xB1, 0, 3, 4, 1, 2, 3, 4])
    assert probes.ext_read(packet_with(0x1000 | appbits, block)) == [(1, b""), (2, b"\xb1"), (3, b"\1\2\3\4")]


@pytest.mark.parametrize(
    ("profile", "block", "elements"),
    [
        (0xBEDE, bytes([0x10, 7, 0xF0, 9, 0x20, 8, 0, 0]), [(1, b"\7")]),  # id 15 ends the block
        (0xBEDE, bytes([0x10, 7, 0x01, 9, 0x20, 8, 0, 0]), [(1, b"\7")]),  # id 0 with a length does too
        (0xBEDE, bytes([0x10, 7, 0x22, 9]), [(1, b"\7")]),  # an element that overruns
        (0x1000, bytes([1, 1, 7, 2]), [(1, b"\7")]),
        (0x1234, bytes([0x10, 7, 0, 0]), []),  # neither form
    ],
)
def test_reading_stops_where_the_rest_cannot_be_trusted(
    profile: int, block: bytes, elements: list[tuple[int, bytes]]
) -> None:
    assert probes.ext_read(packet_with(profile, block)) == elements


@given(st.booleans(), ONE_BYTE_ELEMENTS | TWO_BYTE_ELEMENTS, st.integers(0, 300))
def test_what_is_written_fits_and_is_read_back(two_byte: bool, elements: list[tuple[int, bytes]], cap: int) -> None:
    block, taken = probes.ext_write(elements, two_byte, cap)
    kept = [element for element, was_taken in zip(elements, taken, strict=True) if was_taken]
    assert len(block) <= cap
    assert len(block) % 4 == 0
    assert bool(block) == bool(kept)
    if block:
        profile, words = struct.unpack("!HH", block[:4])
        assert profile == (0x1000 if two_byte else 0xBEDE)
        assert words * 4 == len(block) - 4
        assert unpack_header_extensions(profile, block[4:]) == kept
        assert probes.ext_read(packet_with(profile, block[4:])) == kept


@given(TWO_BYTE_ELEMENTS)
def test_the_one_byte_form_refuses_what_it_cannot_say_and_the_two_byte_form_nothing(
    elements: list[tuple[int, bytes]],
) -> None:
    assert probes.ext_write(elements, True, 8192)[1] == [True] * len(elements)
    fits = [element_id <= 14 and 1 <= len(data) <= 16 for element_id, data in elements]
    assert probes.ext_write(elements, False, 8192)[1] == fits


@given(st.binary(max_size=120), st.sampled_from([b"", b"\xbe\xde", b"\x10\x00"]))
def test_any_bytes_are_refused_or_read_within_their_bounds(noise: bytes, profile: bytes) -> None:
    data = b"\x90" + noise[:11] + profile + b"\0" + noise[11:] if profile else noise
    rtp = probes.rtp_header(data)
    elements = probes.ext_read(data)
    assert (rtp is None) == (elements is None)
    if rtp is not None and elements is not None:
        assert rtp["header_len"] <= len(data)
        assert sum(1 + len(element) for _, element in elements) <= rtp["ext_len"]
    parsed = probes.rtp_parse(data)
    if parsed is not None:
        assert parsed["header_len"] + parsed["payload_len"] + parsed["padding_len"] == len(data)
