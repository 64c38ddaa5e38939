"""Subscribers that read their packets, with the kernel's arrival timestamps."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from .peers import is_rtp

SO_TIMESTAMPNS = 35  # asm-generic/socket.h
RECEIVE_BUFFER_BYTES = 4 << 20
RTP_HEADER_BYTES = 12

_TIMESPEC = struct.Struct("=qq")
_CONTROL_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


@dataclass(slots=True)
class Sample:
    """A subscriber's socket. Packets are numbered from 0, which has RTP sequence number `first_seq16`."""

    sock: socket.socket
    first_seq16: int
    arrivals: dict[int, int] = field(default_factory=dict)  # CLOCK_REALTIME in ns, by the packet's number

    def __post_init__(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def read(self) -> None:
        """Reads all waiting packets. Ignores packets before number 0."""
        while True:
            try:
                data, control, _, _ = self.sock.recvmsg(RTP_HEADER_BYTES, _CONTROL_BYTES)
            except BlockingIOError:
                return
            if not is_rtp(data):
                continue
            number = int.from_bytes(data[2:4], "big") - self.first_seq16 & 0xFFFF
            if number < 0x8000 and control:  # or it came before it was to be timed
                seconds, ns = _TIMESPEC.unpack(control[0][2])
                self.arrivals.setdefault(number, seconds * 1_000_000_000 + ns)


def spread(crowd: int, count: int) -> list[int]:
    """Up to `count` evenly spread indices below `crowd`, the first and the last included."""
    count = min(count, crowd)
    return sorted({round(i * (crowd - 1) / max(1, count - 1)) for i in range(count)})


def lateness_ms(samples: Sequence[Sample], sent_ns: Sequence[int]) -> list[float]:
    """Latency of each packet to each sample in ms; `sent_ns` has the send times (CLOCK_REALTIME)."""
    return [(at - sent_ns[number]) / 1e6 for sample in samples for number, at in sample.arrivals.items()]
