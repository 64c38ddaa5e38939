"""What was made beforehand leaves in order, not before it is due, and from the address that it is to come from."""

import socket
import time

import pytest

from fanwire.fastpath.testing.replay import Replay


def bound(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.setblocking(False)
    return sock


def test_datagrams_leave_at_their_time_from_their_address() -> None:
    due_us = [0, 0, 30_000, *[60_000] * 200]
    datagrams = [(due, bytes([127, 9, 0, 1 + i % 2]), i.to_bytes(2, "big")) for i, due in enumerate(due_us)]
    with bound("127.0.0.1") as receiver, bound("0.0.0.0") as sender:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        replay = Replay(sender, receiver.getsockname(), datagrams)
        start_ns = time.time_ns()
        replay.start()
        sent_ns = replay.join()
        port = sender.getsockname()[1]
        came = [receiver.recvfrom(100) for _ in datagrams]
    assert came == [(data, (f"127.9.0.{1 + i % 2}", port)) for i, (_, _, data) in enumerate(datagrams)]
    assert all(at - start_ns >= due * 1000 for at, due in zip(sent_ns, due_us, strict=True))
    assert sorted(sent_ns) == sent_ns
    assert replay.counters()["packets_out"] == len(datagrams)


def test_an_address_that_is_none_is_refused() -> None:
    with bound("0.0.0.0") as sender, pytest.raises(ValueError, match="4 bytes"):
        Replay(sender, ("127.0.0.1", 9), [(0, b"127.0.0.1", b"x")])
