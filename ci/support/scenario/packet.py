"""RTP packets in the clear, and the payloads that the peers of a scenario send."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from fanwire.fastpath.messages import Codec
from fanwire.fastpath.testing import probes

TAG = struct.Struct("!4sHIH")
_MAGIC = b"FWtg"


@dataclass
class Packet:
    """An RTP packet; `extensions` by id."""

    ssrc: int
    pt: int
    seq: int
    timestamp: int
    payload: bytes = b""
    marker: bool = False
    extensions: dict[int, bytes] = field(default_factory=dict)
    padding: int = 0
    two_byte: bool = False

    def __bytes__(self) -> bytes:
        wide = any(number > 14 or not 1 <= len(data) <= 16 for number, data in self.extensions.items())
        block, taken = probes.ext_write(list(self.extensions.items()), self.two_byte or wide)
        assert all(taken)
        head = probes.rtp_write(
            padding=self.padding > 0,
            extension=bool(block),
            marker=self.marker,
            payload_type=self.pt,
            seq16=self.seq & 0xFFFF,
            timestamp=self.timestamp & 0xFFFFFFFF,
            ssrc=self.ssrc,
        )
        tail = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        return head + block + self.payload + tail

    @classmethod
    def parse(cls, data: bytes) -> Packet:
        rtp = probes.rtp_parse(data)
        assert rtp is not None
        elements = probes.ext_read(data) or []
        ids = [number for number, _ in elements]
        assert len(ids) == len(set(ids)), "an extension is there twice"
        return cls(
            ssrc=rtp["ssrc"],
            pt=rtp["payload_type"],
            seq=rtp["seq16"],
            timestamp=rtp["timestamp"],
            payload=data[rtp["header_len"] : rtp["header_len"] + rtp["payload_len"]],
            marker=rtp["marker"],
            extensions=dict(elements),
            padding=rtp["padding_len"],
            two_byte=rtp["ext_profile"] >> 4 == 0x100,
        )


@dataclass(frozen=True)
class Tag:
    """Puts the source's label, the frame and the packet's number in the frame into a payload."""

    label: int
    frame: int
    index: int

    def __bytes__(self) -> bytes:
        return TAG.pack(_MAGIC, self.label, self.frame, self.index)

    @classmethod
    def find(cls, payload: bytes) -> Tag | None:
        at = payload.find(_MAGIC)
        return cls(*TAG.unpack_from(payload, at)[1:]) if at >= 0 else None


@dataclass(frozen=True)
class Frame:
    """One packet's codec header: its position in the frame and the frame's properties."""

    keyframe: bool
    first: bool
    size: tuple[int, int]
    picture_id: int
    tl0: int


def vp8(frame: Frame, body: bytes) -> bytes:
    """Descriptor with 15-bit picture id, TL0PICIDX and TID (RFC 7741 section 4.2), then the frame's header."""
    descriptor = struct.pack(
        "!BBHBB", 0x90 if frame.first else 0x80, 0xE0, 0x8000 | frame.picture_id & 0x7FFF, frame.tl0 & 0xFF, 0x00
    )
    if not frame.first:
        return descriptor + body
    if not frame.keyframe:
        return descriptor + b"\x11\x00\x00" + body
    return descriptor + b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", *frame.size) + body


def h264(frame: Frame, body: bytes) -> bytes:
    """A STAP-A of SPS, PPS and an IDR slice, or a single slice (RFC 6184 section 5.7.1)."""
    if not (frame.keyframe and frame.first):
        return (b"\x65\x00" if frame.keyframe else b"\x41\x9a") + body
    units = (b"\x67\x42\xe0\x1f\x8c\x8d\x40\x50\x1e\xd0\x0f\x08\x84\x6a", b"\x68\xce\x3c\x80", b"\x65\x88" + body)
    return b"\x18" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


def av1(frame: Frame, body: bytes) -> bytes:
    """One element of a frame OBU without a size; N at the start of a coded video sequence."""
    new_sequence = 0x08 if frame.keyframe and frame.first else 0
    return bytes([0x10 | new_sequence | (0 if frame.first else 0x80), 0x30]) + body


def opus(_: Frame, body: bytes) -> bytes:
    return b"\x78" + body


PAYLOADS = {Codec.VP8: vp8, Codec.H264: h264, Codec.AV1: av1, Codec.OPUS: opus}


def red(primary_pt: int, primary: bytes, *redundant: tuple[int, int, bytes]) -> bytes:
    """RFC 2198: redundant blocks as (payload type, timestamp offset, data), then the primary one."""
    heads = b"".join(struct.pack("!BHB", 0x80 | pt, (offset << 2 | len(data) >> 8) & 0xFFFF, len(data) & 0xFF)
                     for pt, offset, data in redundant)  # fmt: skip
    return heads + bytes([primary_pt]) + b"".join(data for *_, data in redundant) + primary
