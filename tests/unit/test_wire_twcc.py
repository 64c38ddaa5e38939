"""Transport-wide feedback: what is built says what happened, told by a decoder that shares nothing with ours."""

import struct
from collections.abc import Iterator

from aiortc import rtp as aiortc_rtp
from hypothesis import example, given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes

TICK_US = 250
EPOCH_US = 64_000 << 24  # where the reference time wraps

# Steps between arrivals in microseconds: bursts, pauses, and packets that were overtaken.
STEPS = st.integers(0, 3_000) | st.integers(-200_000, 200_000) | st.just(0)
LOSS = st.sampled_from([[False], [True, False], [False] * 20 + [True], [True] * 20 + [False]]).flatmap(st.sampled_from)


@st.composite
def arrivals(draw: st.DrawFn, longest: int = 300) -> list[int | None]:
    """When each of a row of packets arrived; at least one did."""
    now = draw(st.integers(0, 3 * EPOCH_US))
    times: list[int | None] = [None] * draw(st.integers(0, 30)) + [now]
    for step, lost in draw(st.lists(st.tuples(STEPS, LOSS), max_size=longest)):
        now = max(0, now + step)
        times.append(None if lost else now)
    return times


def symbols(chunk: int) -> list[int]:
    """The statuses of a chunk, from its bits written as text."""
    bits = f"{chunk:016b}"
    if bits[0] == "0":
        return [int(bits[1:3], 2)] * int(bits[3:], 2)
    width = 1 if bits[1] == "0" else 2
    return [int(bits[i : i + width], 2) for i in range(2, 16, width)]


def decode(data: bytes) -> tuple[int, int, list[int | None]]:
    """Base sequence number, feedback count and arrivals in ticks on the sender's clock."""
    (packet,) = aiortc_rtp.RtcpPacket.parse(data)
    assert isinstance(packet, aiortc_rtp.RtcpRtpfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (15, 1, 2)
    base, count, reference_and_feedback = struct.unpack_from("!HHI", data, 12)
    at = 20
    statuses: list[int] = []
    while len(statuses) < count:
        statuses += symbols(struct.unpack_from("!H", data, at)[0])
        at += 2
    now, times = (reference_and_feedback >> 8) * 256, []
    for status in statuses[:count]:
        if status:
            now += struct.unpack_from("!B" if status == 1 else "!h", data, at)[0]
            at += status
        times.append(now if status else None)
    assert data[at:] == bytes(len(data) - at)
    assert len(data) - at < 4
    return base, reference_and_feedback & 0xFF, times


def build_all(times: list[int | None], base: int, cap: int) -> Iterator[tuple[int, bytes, int]]:
    """Messages for the row up to its last arrival, as a server sends them: a new one where the last stopped."""
    at = 0
    while any(us is not None for us in times[at:]):
        writer = probes.RtcpWriter(cap)
        written = writer.twcc(1, 2, (base + at) & 0xFFFF, 7, times[at:])
        assert written > 0
        assert not writer.overflow
        yield at, bytes(writer), written
        at += written


@given(arrivals(), st.integers(0, 0xFFFF), st.integers(24, 400))
@example([1_000 * i * i for i in range(200)], 65_500, 1200)
def test_messages_say_when_each_packet_arrived_to_the_tick(times: list[int | None], base: int, cap: int) -> None:
    told: list[int | None] = [None] * len(times)
    for at, data, written in build_all(times, base, cap):
        assert len(data) <= cap
        message_base, feedback_count, ticks = decode(data)
        assert (message_base, feedback_count) == ((base + at) & 0xFFFF, 7)
        assert len(ticks) == written
        first_us = next(us for us in times[at:] if us is not None)
        epoch_ticks = first_us // EPOCH_US * (EPOCH_US // TICK_US)
        told[at : at + written] = [None if tick is None else tick + epoch_ticks for tick in ticks]
    assert told == [None if us is None else us // TICK_US for us in times]


@given(arrivals(), st.integers(24, 1200))
def test_our_reader_agrees_with_the_independent_one(times: list[int | None], cap: int) -> None:
    for _, data, _ in build_all(times, 0, cap):
        (packet,), ok = probes.rtcp_parse(data)
        twcc = packet["twcc"]
        assert ok
        assert twcc is not None
        base, feedback_count, ticks = decode(data)
        assert (twcc["base_seq16"], twcc["feedback_count"], twcc["count"]) == (base, feedback_count, len(ticks))
        assert twcc["arrivals_us"] == [None if tick is None else tick * TICK_US for tick in ticks]
        assert packet["feedback"] == (1, 2)


def test_odd_intervals_do_not_drift() -> None:
    times: list[int | None] = [i * 333 for i in range(1000)]
    writer = probes.RtcpWriter(4000)
    assert writer.twcc(1, 2, 0, 0, times) == 1000
    assert decode(bytes(writer))[2][-1] == 999 * 333 // TICK_US


def test_a_message_ends_before_a_delta_that_it_cannot_say() -> None:
    writer = probes.RtcpWriter()
    assert writer.twcc(1, 2, 0, 0, [0, 32_767 * TICK_US, 65_535 * TICK_US]) == 2
    assert writer.twcc(1, 2, 0, 0, [64_000_000, 64_000_000 - 32_768 * TICK_US, 0, 5]) == 2


def test_long_silences_and_steady_flows_take_few_bytes() -> None:
    sizes = []
    for times in ([0] + [None] * 1022 + [0], [i * 1000 for i in range(1000)], [0, None] * 500):
        writer = probes.RtcpWriter(4000)
        assert writer.twcc(1, 2, 0, 0, times) == len(times)
        sizes.append(len(bytes(writer)) - sum(time is not None for time in times))
    assert sizes[0] <= 20 + 3 * 2 + 3
    assert sizes[1] <= 20 + 1 * 2 + 3
    assert sizes[2] <= 20 + 72 * 2 + 3


def test_nothing_is_written_without_an_arrival_or_room() -> None:
    writer = probes.RtcpWriter(23)
    for times in ([], [None, None]):
        assert writer.twcc(1, 2, 0, 0, times) == 0
        assert not writer.overflow
    assert writer.twcc(1, 2, 0, 0, [5]) == 0
    assert writer.overflow
    assert bytes(writer) == b""


def feedback(count: int, *chunks: int, deltas: bytes = b"") -> bytes:
    body = struct.pack(f"!IIHHI{len(chunks)}H", 1, 2, 0, count, 0, *chunks) + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def read(data: bytes) -> list[int | None] | None:
    (packet,), _ = probes.rtcp_parse(data)
    return packet["twcc"]["arrivals_us"] if packet["twcc"] else None


def test_every_kind_of_chunk_is_read() -> None:
    assert read(feedback(3, 0x2003, deltas=b"\1\2\3")) == [250, 750, 1500]
    assert read(feedback(2, 0xA000, deltas=b"\4")) == [1000, None]
    assert read(feedback(3, 0b11_10_00_01 << 8, deltas=b"\xff\xff\2")) == [-250, None, 250]
    assert read(feedback(2, 0x3FFF, deltas=b"\1\1")) == [250, 500]  # a run longer than the count


def test_malformed_feedback_is_refused() -> None:
    assert read(feedback(0)) is None
    assert read(feedback(3, 0x6003)) is None  # the reserved symbol
    assert read(feedback(3, 0x2001)) is None  # too few statuses
    assert read(feedback(9, 0x4009, deltas=bytes(9))) is None  # too few deltas
    assert read(feedback(probes.TWCC_MAX_PACKETS + 1, 0x1FFF)) is None
    assert read(feedback(probes.TWCC_MAX_PACKETS, probes.TWCC_MAX_PACKETS)) == [None] * probes.TWCC_MAX_PACKETS


@given(st.integers(0, 1100), st.lists(st.integers(0, 0xFFFF), max_size=20), st.binary(max_size=60))
def test_any_bytes_are_refused_or_give_one_time_per_status(count: int, chunks: list[int], deltas: bytes) -> None:
    times = read(feedback(count, *chunks, deltas=deltas))
    assert times is None or len(times) == count
