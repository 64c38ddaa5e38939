"""Some subscribers that read, and know from the kernel when each packet arrived."""

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
    """A subscriber's socket, whose packet number 0 is the one that has RTP sequence number `first_seq16`."""

    sock: socket.socket
    first_seq16: int
    arrivals: dict[int, int] = field(default_factory=dict)  # CLOCK_REALTIME in ns, by the packet's number

    def __post_init__(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def read(self) -> None:
        """Takes what waits. Packets before the first are not counted."""
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
    """The places of up to `count` of a crowd, the first and the last among them."""
    count = min(count, crowd)
    return sorted({round(i * (crowd - 1) / max(1, count - 1)) for i in range(count)})


def lateness_ms(samples: Sequence[Sample], sent_ns: Sequence[int]) -> list[float]:
    """How long each packet took to each of the samples, from when it was sent (CLOCK_REALTIME)."""
    return [(at - sent_ns[number]) / 1e6 for sample in samples for number, at in sample.arrivals.items()]
