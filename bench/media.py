"""Streams to forward: RTP packets with synthetic VP8 and Opus payloads, numbered as a browser numbers them."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fanwire.fastpath.messages import Codec, Encoding, Extension, Kind, PayloadType

EXTENSIONS = {Extension.MID: 1, Extension.ABS_SEND_TIME: 2, Extension.TRANSPORT_CC: 3}
MID = "0"
HEADER_BYTES = 28
LEAST_PAYLOAD_BYTES = 20

_RTP = struct.Struct("!BBHII")
# MID, abs-send-time and transport-cc as one-byte elements (RFC 8285), 12 bytes with padding.
_EXTENSIONS = struct.Struct("!HHBcB3sBH3x")
# X, S; I, L, T; 15 bits of picture id; TL0PICIDX; TID (RFC 7741 section 4.2).
_DESCRIPTOR = struct.Struct("!BBHBB")
_KEYFRAME = bytes.fromhex("100200 9d012a 0005 d002")  # 1280 by 720 (RFC 6386 section 9.1)
_INTERFRAME = b"\x11\x02\x00"


@dataclass(slots=True)
class Stream:
    """Packets of one SSRC, frame by frame."""

    kind: ClassVar[Kind]
    format: ClassVar[PayloadType]
    frame_ticks: ClassVar[int]
    extensions: ClassVar[Mapping[Extension, int]] = EXTENSIONS

    ssrc: int
    frame: int = 0
    seq: int = 1000
    transport_cc: int = 0
    keyframe_due: bool = True

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The encodings of the producer; each subscriber receives one."""
        return (Encoding(ssrc=self.ssrc),)

    def next_frame(self, sizes: Sequence[int]) -> list[bytes]:
        """The packets of the next frame, in the clear, whose payloads have these sizes (LEAST_PAYLOAD_BYTES and up)."""
        made = [self._packet(size, i, len(sizes)) for i, size in enumerate(sizes)]
        self.frame += 1
        self.keyframe_due = False
        return made

    def _packet(self, size: int, index: int, count: int) -> bytes:
        timestamp = self.frame * self.frame_ticks & 0xFFFFFFFF
        marker = 0x80 * (index == count - 1)
        header = _RTP.pack(0x90, marker | self.format.pt, self.seq & 0xFFFF, timestamp, self.ssrc)
        start = header + self._extensions(index, count) + self._head(index, count)
        self.seq += 1
        self.transport_cc += 1
        return start + os.urandom(HEADER_BYTES + size - len(start))

    def _extensions(self, index: int, count: int) -> bytes:
        """Those of a packet of the frame, all told in HEADER_BYTES; what takes more is taken from the payload."""
        return _EXTENSIONS.pack(
            0xBEDE, 3, 1 << 4 | 0, MID.encode(), 2 << 4 | 2, bytes(3), 3 << 4 | 1, self.transport_cc & 0xFFFF
        )

    def _head(self, index: int, count: int) -> bytes:
        """The meaningful first bytes of the payload."""
        return b""


class Video(Stream):
    """VP8 at 30 frames a second, with picture id and TL0PICIDX."""

    __slots__ = ()
    kind = Kind.VIDEO
    format = PayloadType(96, Codec.VP8, 90000, rtx_pt=97, nack=True, pli=True, fir=True, transport_cc=True)
    frame_ticks = 3000

    def _head(self, index: int, count: int) -> bytes:
        first = index == 0
        head = _DESCRIPTOR.pack(0x80 | 0x10 * first, 0xE0, 0x8000 | self.frame & 0x7FFF, *self._layer())
        if first:
            head += _KEYFRAME if self.keyframe_due else _INTERFRAME
        return head

    def _layer(self) -> tuple[int, int]:
        """TL0PICIDX, and the byte with TID and Y."""
        return self.frame & 0xFF, 0


class Audio(Stream):
    """Opus packets of 20 ms."""

    __slots__ = ()
    kind = Kind.AUDIO
    format = PayloadType(111, Codec.OPUS, 48000, transport_cc=True)
    frame_ticks = 960
