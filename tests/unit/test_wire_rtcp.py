"""RTCP builders against aiortc's parser and ours, aiortc's builders against ours, and hostile bytes."""

import struct

import pytest
from aiortc import rtp as aiortc_rtp
from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes

U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
SENDER_INFO = st.fixed_dictionaries(
    {"ssrc": U32, "ntp": st.integers(0, 2**64 - 1), "timestamp": U32, "packets": U32, "octets": U32}
)
REPORT_BLOCK = st.fixed_dictionaries(
    {
        "ssrc": U32,
        "fraction_lost": U8,
        "cumulative_lost": st.integers(-(2**23), 2**23 - 1),
        "highest_seq": U32,
        "jitter_ticks": U32,
        "last_sr": U32,
        "delay_sr": U32,
    }
)
SSRCS = st.lists(U32, min_size=1, max_size=31)


def only(writer: probes.RtcpWriter) -> "probes.Rtcp":
    """The one packet that was written, read back by our parser; aiortc's must accept it too."""
    assert not writer.overflow
    packets, ok = probes.rtcp_parse(bytes(writer))
    assert ok
    assert len(packets) == 1
    return packets[0]


def theirs(writer: probes.RtcpWriter) -> aiortc_rtp.AnyRtcpPacket:
    (packet,) = aiortc_rtp.RtcpPacket.parse(bytes(writer))
    return packet


@given(SENDER_INFO)
def test_sender_reports_round_trip(info: "probes.SenderInfo") -> None:
    writer = probes.RtcpWriter()
    writer.sr(info)
    assert only(writer)["sender_info"] == info
    report = theirs(writer)
    assert isinstance(report, aiortc_rtp.RtcpSrPacket)
    assert (report.ssrc, report.sender_info.ntp_timestamp) == (info["ssrc"], info["ntp"])
    assert (report.sender_info.packet_count, report.sender_info.octet_count) == (info["packets"], info["octets"])


@given(U32, st.lists(REPORT_BLOCK, max_size=31))
def test_receiver_reports_round_trip(ssrc: int, blocks: list["probes.ReportBlock"]) -> None:
    writer = probes.RtcpWriter()
    writer.rr(ssrc, blocks)
    assert only(writer)["blocks"] == blocks
    report = theirs(writer)
    assert isinstance(report, aiortc_rtp.RtcpRrPacket)
    assert report.ssrc == ssrc
    assert [(r.ssrc, r.fraction_lost, r.packets_lost, r.lsr, r.dlsr) for r in report.reports] == [
        (b["ssrc"], b["fraction_lost"], b["cumulative_lost"], b["last_sr"], b["delay_sr"]) for b in blocks
    ]


@given(SENDER_INFO, st.lists(REPORT_BLOCK, max_size=10))
def test_report_blocks_in_a_sender_report_of_another_implementation_are_read(
    info: "probes.SenderInfo", blocks: list["probes.ReportBlock"]
) -> None:
    report = aiortc_rtp.RtcpSrPacket(
        ssrc=info["ssrc"],
        sender_info=aiortc_rtp.RtcpSenderInfo(info["ntp"], info["timestamp"], info["packets"], info["octets"]),
        reports=[
            aiortc_rtp.RtcpReceiverInfo(
                ssrc=b["ssrc"],
                fraction_lost=b["fraction_lost"],
                packets_lost=b["cumulative_lost"],
                highest_sequence=b["highest_seq"],
                jitter=b["jitter_ticks"],
                lsr=b["last_sr"],
                dlsr=b["delay_sr"],
            )
            for b in blocks
        ],
    )
    (packet,), ok = probes.rtcp_parse(bytes(report))
    assert ok
    assert packet["sender_info"] == info
    assert packet["blocks"] == blocks


@given(SSRCS, st.text(st.characters(codec="utf-8"), min_size=1).map(lambda s: s.encode()[:255]))
def test_sdes_names_every_ssrc(ssrcs: list[int], cname: bytes) -> None:
    writer = probes.RtcpWriter(16384)
    writer.sdes(ssrcs, cname)
    assert only(writer)["count"] == len(ssrcs)
    at = 4
    for ssrc in ssrcs:
        item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname
        zeros = 4 - len(item) % 4  # at least one ends the chunk
        assert bytes(writer)[at:].startswith(item + bytes(zeros))
        at += len(item) + zeros
    assert at == len(bytes(writer))


def test_sdes_is_read_by_another_implementation() -> None:
    writer = probes.RtcpWriter()
    writer.sdes([1], b"somebody")
    sdes = theirs(writer)
    assert isinstance(sdes, aiortc_rtp.RtcpSdesPacket)
    assert [(chunk.ssrc, chunk.items) for chunk in sdes.chunks] == [(1, [(1, b"somebody")])]


@given(SSRCS)
def test_bye_round_trips(ssrcs: list[int]) -> None:
    writer = probes.RtcpWriter()
    writer.bye(ssrcs)
    assert only(writer)["bye"] == ssrcs
    bye = theirs(writer)
    assert isinstance(bye, aiortc_rtp.RtcpByePacket)
    assert bye.sources == ssrcs


@given(U16, st.sets(st.integers(0, 3000), min_size=1, max_size=200))
def test_a_nack_names_exactly_the_lost_packets_in_the_fewest_entries(base: int, offsets: set[int]) -> None:
    lost = [(base + offset) & 0xFFFF for offset in sorted(offsets)]
    writer = probes.RtcpWriter()
    writer.nack(1, 2, lost)
    packet = only(writer)
    assert packet["feedback"] == (1, 2)
    named = [
        (first + bit) & 0xFFFF for first, mask in packet["nack"] for bit in range(17) if (mask << 1 | 1) >> bit & 1
    ]
    assert named == lost
    # An entry covers 17 numbers: packets that lie further apart than that each need their own.
    apart, last = 0, -17
    for offset in sorted(offsets):
        if offset - last >= 17:
            apart, last = apart + 1, offset
    assert len(packet["nack"]) == apart
    nack = theirs(writer)
    assert isinstance(nack, aiortc_rtp.RtcpRtpfbPacket)
    assert [number & 0xFFFF for number in nack.lost] == lost  # aiortc counts on beyond 16 bits


def test_an_empty_nack_is_not_written() -> None:
    writer = probes.RtcpWriter()
    writer.nack(1, 2, [])
    assert (bytes(writer), writer.overflow) == (b"", False)


@given(U32, U32, U8)
def test_keyframe_requests_round_trip(sender: int, media: int, command_seq: int) -> None:
    writer = probes.RtcpWriter()
    writer.pli(sender, media)
    pli = theirs(writer)
    assert isinstance(pli, aiortc_rtp.RtcpPsfbPacket)
    assert (pli.fmt, pli.ssrc, pli.media_ssrc, pli.fci) == (aiortc_rtp.RTCP_PSFB_PLI, sender, media, b"")
    assert only(writer)["feedback"] == (sender, media)

    writer = probes.RtcpWriter()
    writer.fir(sender, media, command_seq)
    packet = only(writer)
    assert (packet["type"], packet["count"]) == (206, 4)
    assert packet["feedback"] == (sender, 0)
    assert packet["fir"] == [(media, command_seq)]


@given(st.integers(0, 2**64 - 1), st.lists(U32, max_size=31))
def test_remb_keeps_18_bits_of_precision_and_never_says_more(bitrate_bps: int, ssrcs: list[int]) -> None:
    writer = probes.RtcpWriter()
    writer.remb(1, bitrate_bps, ssrcs)
    told = only(writer)["remb"]
    assert told is not None
    assert told <= bitrate_bps
    assert bitrate_bps - told <= bitrate_bps >> 17
    remb = theirs(writer)
    assert isinstance(remb, aiortc_rtp.RtcpPsfbPacket)
    assert aiortc_rtp.unpack_remb_fci(remb.fci) == (told, ssrcs)


def test_a_remb_beyond_64_bits_saturates() -> None:
    fci = b"REMB" + struct.pack("!I", 63 << 18 | 0x3FFFF)
    (packet,), _ = probes.rtcp_parse(struct.pack("!BBHII", 0x8F, 206, 4, 1, 0) + fci)
    assert packet["remb"] == 2**64 - 1


def test_a_compound_is_read_packet_by_packet() -> None:
    writer = probes.RtcpWriter()
    writer.sr({"ssrc": 1, "ntp": 2, "timestamp": 3, "packets": 4, "octets": 5})
    writer.sdes([1], b"fanwire")
    writer.nack(1, 2, [3])
    packets, ok = probes.rtcp_parse(bytes(writer))
    assert ok
    assert [packet["type"] for packet in packets] == [200, 202, 205]
    assert b"".join(packet["data"] for packet in packets) == bytes(writer)


@pytest.mark.parametrize("cap", [0, 7, 8, 11, 12, 31, 32, 39, 40])
def test_a_packet_that_does_not_fit_is_left_out_whole(cap: int) -> None:
    writer = probes.RtcpWriter(cap)
    writer.sr({"ssrc": 1, "ntp": 2, "timestamp": 3, "packets": 4, "octets": 5})
    writer.pli(1, 2)
    packets, ok = probes.rtcp_parse(bytes(writer))
    assert ok
    assert sum(len(packet["data"]) for packet in packets) <= cap
    assert [packet["type"] for packet in packets] == [200] * (cap >= 28) + [206] * (cap >= 40 or 12 <= cap < 28)
    assert writer.overflow == (cap < 40)


@pytest.mark.parametrize(
    ("ssrcs", "cname"), [([1] * 32, b"x"), ([1], b""), ([1], bytes(256))], ids=["32 sources", "no name", "long name"]
)
def test_what_the_fields_cannot_say_is_refused(ssrcs: list[int], cname: bytes) -> None:
    writer = probes.RtcpWriter(16384)
    writer.sdes(ssrcs, cname)
    assert (bytes(writer), writer.overflow) == (b"", True)


@pytest.mark.parametrize("padding", [4, 8])
def test_padding_is_left_out_of_a_packet(padding: int) -> None:
    data = struct.pack("!BBHI", 0xA1, 203, 1 + padding // 4, 7) + bytes(padding - 1) + bytes([padding])
    (packet,), ok = probes.rtcp_parse(data)
    assert ok
    assert packet["bye"] == [7]
    assert len(packet["data"]) == 8


@pytest.mark.parametrize(
    "data", ["80", "80c900", "00c90000", "80c90001", "a0c9000000", "a1cb000100000000", "a1cb000100000009"]
)
def test_a_broken_packet_ends_the_reading_as_an_error(data: str) -> None:
    good = struct.pack("!BBHI", 0x81, 203, 1, 7)
    packets, ok = probes.rtcp_parse(good + bytes.fromhex(data))
    assert len(packets) == 1
    assert not ok


@given(st.lists(st.tuples(U8, st.integers(192, 223), U16, st.binary(max_size=60)), max_size=4), st.booleans())
def test_any_bytes_are_read_within_their_bounds(parts: list[tuple[int, int, int, bytes]], honest: bool) -> None:
    data = b"".join(
        struct.pack("!BBH", 0x80 | bits & 0x1F if honest else bits, kind, len(body) // 4 if honest else length)
        + body[: len(body) // 4 * 4 if honest else None]
        for bits, kind, length, body in parts
    )
    packets, ok = probes.rtcp_parse(data)
    assert sum(len(packet["data"]) for packet in packets) <= len(data)
    assert ok or not honest
    for packet in packets:
        assert len(packet["blocks"]) <= packet["count"]
        assert len(packet["bye"]) <= packet["count"]
        assert 4 * len(packet["nack"]) + 8 * len(packet["fir"]) <= max(0, len(packet["data"]) - 12)
