"""The packet counter counts what sockets receive, to the packet."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from fanwire.fastpath.testing.packet_counter import PacketCounter

SSRC = 7


@pytest.fixture
def counter() -> Iterator[PacketCounter]:
    with PacketCounter(2) as running:
        yield running


def bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    return sock


def rtp(seq16: int, ssrc: int = SSRC, *, marker: bool = False) -> bytes:
    return struct.pack("!BBHII", 0x80, marker << 7 | 96, seq16, 0, ssrc) + bytes(88)


def wait_for(counter: PacketCounter, index: int, packets: int) -> None:
    deadline = time.monotonic() + 5
    while counter.tally(index)["packets"] < packets:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_packets_are_counted_by_kind_and_ssrc(counter: PacketCounter) -> None:
    sock = bound()
    index = counter.add(sock)
    with bound() as sender:
        for datagram in (*(rtp(n & 0xFFFF) for n in (65534, 65535, 65536, 65538)), rtp(3, ssrc=8)):
            sender.sendto(datagram, sock.getsockname())
        for datagram in (b"\x80\xc8\x00\x00", b"\x00\x01\x00", b"\x16\xfe\xfd", b"\xff\xff", b""):
            sender.sendto(datagram, sock.getsockname())
        wait_for(counter, index, 10)
    tally = counter.tally(index)
    assert tally["streams"] == {SSRC: (4, 1), 8: (1, 0)}
    assert (tally["rtp"], tally["rtcp"], tally["stun"], tally["dtls"], tally["unknown"]) == (5, 1, 1, 1, 2)
    assert tally["bytes"] == 5 * 100 + 4 + 3 + 3 + 2
    assert 0 < tally["first_rtp_us"] <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert tally["first_marked_us"] == 0
    with bound() as sender:
        sender.sendto(rtp(3, marker=True), sock.getsockname())
        wait_for(counter, index, 11)
    assert counter.tally(index)["first_marked_us"] > tally["first_rtp_us"]


def test_python_gets_media_only_of_the_sockets_that_are_kept(counter: PacketCounter) -> None:
    plain, kept = bound(), bound()
    indexes = counter.add(plain), counter.add(kept, keep=True)
    with bound() as sender:
        for sock in (plain, kept):
            sender.sendto(rtp(1), sock.getsockname())
            sender.sendto(b"\x16\xfe\xfd", sock.getsockname())
    for index in indexes:
        wait_for(counter, index, 2)
    assert select.select([counter], [], [], 5)[0]
    assert sorted(counter.read()) == [(0, b"\x16\xfe\xfd"), (1, b"\x16\xfe\xfd"), (1, rtp(1))]
    assert counter.read() == []
    with bound() as another, pytest.raises(ValueError, match="room for 2"):
        counter.add(another)


def test_a_socket_at_rest_is_not_read(counter: PacketCounter) -> None:
    resting, read = bound(), bound()
    indexes = counter.add(resting), counter.add(read)
    with bound() as sender:
        sender.sendto(rtp(1), resting.getsockname())
        wait_for(counter, indexes[0], 1)
        counter.rest(indexes[0])
        for sock in (resting, read):
            sender.sendto(rtp(2), sock.getsockname())
    wait_for(counter, indexes[1], 1)
    assert counter.tally(indexes[0])["packets"] == 1
    with pytest.raises(ValueError, match="is not read"):
        counter.rest(indexes[0])


def test_what_a_full_socket_drops_is_told() -> None:
    sock = bound()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    with bound() as sender:
        for n in range(100):
            sender.sendto(rtp(n), sock.getsockname())
    with PacketCounter(1) as counter:
        index = counter.add(sock)
        wait_for(counter, index, 1)
        time.sleep(0.05)
        tally = counter.tally(index)
        assert tally["overflow"] > 0
        assert tally["packets"] + tally["overflow"] == 100
