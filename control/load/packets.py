"""Packetizes VP8 (RFC 7741) and Opus (RFC 7587). The first packet of a frame carries its capture time."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator

from ..media.engine import Codec, Encoding, Extension, Kind, PayloadType, ProducerSpec

NTP_1970_S = 2_208_988_800
MOST_PAYLOAD_BYTES = 1120  # with headers, extensions, RTX and SRTP at most the packet size of libwebrtc

_CAPTURE_ID = 1
_PICTURE_IDS = 1 << 15


def ntp(unix_s: float) -> int:
    """A Unix time as 32.32 fixed-point seconds since 1900."""
    return int((unix_s + NTP_1970_S) * (1 << 32))


class Packetizer:
    """Makes the RTP packets of one track, with random first sequence number, timestamp and picture id."""

    def __init__(self, codec: Codec) -> None:
        """`codec` is VP8 or Opus."""
        self._video = codec is Codec.VP8
        kind, self._pt, clock_hz = (Kind.VIDEO, 96, 90_000) if self._video else (Kind.AUDIO, 111, 48_000)
        self._ssrc = secrets.randbelow(0xFFFF_FFFE) + 1
        self._seq = secrets.randbelow(0x8000)
        self._first_timestamp = secrets.randbits(32)
        self._picture_id = secrets.randbelow(_PICTURE_IDS)
        self.spec = ProducerSpec(
            mid="",
            kind=kind,
            payload_types=(PayloadType(self._pt, codec, clock_hz),),
            extensions={Extension.ABS_CAPTURE_TIME: _CAPTURE_ID},
            encodings=(Encoding(ssrc=self._ssrc),),
        )

    def timestamp(self, ticks: int) -> int:
        """The RTP timestamp `ticks` of the codec's clock after the start."""
        return (self._first_timestamp + ticks) & 0xFFFF_FFFF

    def packets(self, frame: bytes, ticks: int, captured_s: float) -> Iterator[bytes]:
        """The packets of one frame, captured `ticks` after the start at the Unix time `captured_s`."""
        payloads = list(self._vp8(frame)) if self._video else [frame]
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            yield self._header(ticks, self._video and last, captured_s if index == 0 else None) + payload

    def _header(self, ticks: int, marker: bool, captured_s: float | None) -> bytes:
        first = 0x80 if captured_s is None else 0x90
        second = (0x80 if marker else 0) | self._pt
        fixed = struct.pack("!BBHII", first, second, self._seq & 0xFFFF, self.timestamp(ticks), self._ssrc)
        self._seq += 1
        if captured_s is None:
            return fixed
        # abs-capture-time in the one-byte form (RFC 8285 section 4.2), padded to whole words.
        return fixed + struct.pack("!HHBQ3x", 0xBEDE, 3, _CAPTURE_ID << 4 | 7, ntp(captured_s))

    def _vp8(self, frame: bytes) -> Iterator[bytes]:
        self._picture_id = (self._picture_id + 1) % _PICTURE_IDS
        count = -(-len(frame) // MOST_PAYLOAD_BYTES)
        size = -(-len(frame) // count)
        for start in range(0, len(frame), size):
            # X, and S in the first packet of the frame; I; a picture id of 15 bits.
            descriptor = struct.pack("!BBH", 0x90 if start == 0 else 0x80, 0x80, 0x8000 | self._picture_id)
            yield descriptor + frame[start : start + size]
