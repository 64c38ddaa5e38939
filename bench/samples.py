"""Some subscribers that read, and know from the kernel when each packet arrived."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from .peers import Peer

SO_TIMESTAMPNS = 35  # asm-generic/socket.h
RECEIVE_BUFFER_BYTES = 4 << 20
RTP_HEADER_BYTES = 12

_TIMESPEC = struct.Struct("=qq")
_CONTROL_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


@dataclass(slots=True)
class Sample:
    """One subscriber, whose packet number 0 is the one that has RTP sequence number `first_seq16`."""

    peer: Peer
    first_seq16: int
    arrivals: dict[int, int] = field(default_factory=dict)  # CLOCK_REALTIME in ns, by the packet's number

    def __post_init__(self) -> None:
        self.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.peer.receive_rtp()
        self.peer.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def read(self) -> None:
        """Takes what waits. Packets before the first are not counted, nor those that came before."""
        while True:
            try:
                data, control, _, _ = self.peer.sock.recvmsg(RTP_HEADER_BYTES, _CONTROL_BYTES)
            except BlockingIOError:
                return
            if data[0] >> 6 != 2 or 64 <= data[1] & 0x7F < 96:  # not RTP (RFC 5761 section 4, RFC 7983)
                continue
            number = int.from_bytes(data[2:4], "big") - self.first_seq16 & 0xFFFF
            if number < 0x8000:
                seconds, ns = _TIMESPEC.unpack(control[0][2])
                self.arrivals.setdefault(number, seconds * 1_000_000_000 + ns)


def spread(peers: Sequence[Peer], count: int) -> list[int]:
    """The places of up to `count` of the peers, the first and the last among them."""
    count = min(count, len(peers))
    return sorted({round(i * (len(peers) - 1) / max(1, count - 1)) for i in range(count)})
