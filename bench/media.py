"""A stream to forward: RTP packets of a made-up VP8 video, as a browser would number and label them."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from fanwire.fastpath.messages import Codec, Extension, PayloadType

VIDEO = PayloadType(96, Codec.VP8, 90000, rtx_pt=97, nack=True, pli=True, fir=True, transport_cc=True)
EXTENSIONS = {Extension.MID: 1, Extension.ABS_SEND_TIME: 2, Extension.TRANSPORT_CC: 3}
MID = "0"
HEADER_BYTES = 28
LEAST_PAYLOAD_BYTES = 20
TICKS_A_FRAME = 3000  # 30 frames a second

_RTP = struct.Struct("!BBHII")
# MID, abs-send-time and transport-cc as one-byte elements (RFC 8285), 12 bytes with padding.
_EXTENSIONS = struct.Struct("!HHBcB3sBH3x")
# X, S; I, L, T; 15 bits of picture id; TL0PICIDX; TID (RFC 7741 section 4.2).
_DESCRIPTOR = struct.Struct("!BBHBB")
_KEYFRAME = bytes.fromhex("100200 9d012a 0005 d002")  # 1280 by 720 (RFC 6386 section 9.1)
_INTERFRAME = b"\x11\x02\x00"


@dataclass(slots=True)
class Video:
    """Frames of `packets` packets with `payload_bytes` each, descriptor included."""

    ssrc: int
    packets: int
    payload_bytes: int
    keyframe_due: bool = True
    frame: int = 0
    seq: int = 1000
    transport_cc: int = 0

    def __post_init__(self) -> None:
        if self.payload_bytes < LEAST_PAYLOAD_BYTES:
            raise ValueError(f"a payload has {LEAST_PAYLOAD_BYTES} bytes at least")

    def next_frame(self) -> list[bytes]:
        """The packets of the next frame, in the clear."""
        made = [self._packet(i) for i in range(self.packets)]
        self.frame += 1
        self.keyframe_due = False
        return made

    def _packet(self, index: int) -> bytes:
        first, last = index == 0, index == self.packets - 1
        header = _RTP.pack(
            0x90, 0x80 * last | VIDEO.pt, self.seq & 0xFFFF, self.frame * TICKS_A_FRAME & 0xFFFFFFFF, self.ssrc
        )
        extensions = _EXTENSIONS.pack(
            0xBEDE, 3, 1 << 4 | 0, MID.encode(), 2 << 4 | 2, bytes(3), 3 << 4 | 1, self.transport_cc & 0xFFFF
        )
        head = _DESCRIPTOR.pack(0x80 | 0x10 * first, 0xE0, 0x8000 | self.frame & 0x7FFF, self.frame & 0xFF, 0)
        if first:
            head += _KEYFRAME if self.keyframe_due else _INTERFRAME
        self.seq += 1
        self.transport_cc += 1
        return header + extensions + head + os.urandom(self.payload_bytes - len(head))
