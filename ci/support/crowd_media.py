"""Media of the light test clients: packets shaped like VP8 and Opus, in which the receiver can verify every byte."""

from __future__ import annotations

import functools
import random
import struct

from .crowd_offers import AUDIO_MID, AUDIO_PT, MID_ID, TRANSPORT_CC_ID, VIDEO_MID, VIDEO_PT

FRAMES_PER_S = 30
AUDIO_S = 0.02
AUDIO_BYTES = 120
MAX_PAYLOAD_BYTES = 1150
WIDTH, HEIGHT = 1280, 720

_SERIAL = struct.Struct("!Q")
_VP8_DESCRIPTOR_BYTES = 4  # X with or without S, I, and a 15-bit picture id


class Track:
    """Numbers the RTP packets of one SSRC."""

    def __init__(self, mid: str, payload_type: int, clock_hz: int) -> None:
        self.ssrc = random.randrange(1, 1 << 32)
        self.clock_hz = clock_hz
        self.timestamp = random.randrange(1 << 32)
        self.packets = 0
        self.octets = 0
        self._first_seq = random.randrange(1 << 16)
        self._mid = mid.encode()
        self._payload_type = payload_type

    def packet(self, payload: bytes, *, marker: bool, transport_cc: int) -> bytes:
        """Returns the next packet, with MID and transport-cc extensions."""
        elements = bytes([MID_ID << 4, *self._mid, TRANSPORT_CC_ID << 4 | 1]) + struct.pack("!H", transport_cc & 0xFFFF)
        elements += bytes(-len(elements) % 4)
        header = struct.pack(
            "!BBHIIHH",
            0x90,
            marker << 7 | self._payload_type,
            (self._first_seq + self.packets) & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            self.ssrc,
            0xBEDE,
            len(elements) // 4,
        )
        self.packets += 1
        self.octets += len(payload)
        return header + elements + payload


class Video(Track):
    """VP8 frames of equal size; the first is a keyframe, and so is the next frame after `keyframe_due` is set.

    With `gop_frames` above 0, the first of every `gop_frames` frames is a keyframe too.
    """

    def __init__(self, rate_bps: int, gop_frames: int | None = None) -> None:
        super().__init__(VIDEO_MID, VIDEO_PT, 90000)
        self.frames = 0
        self._gop_frames = gop_frames
        self.keyframe_due = True
        self.keyframes = 0
        self._frame_bytes = rate_bps // 8 // FRAMES_PER_S
        self.packets_per_frame = -(-self._frame_bytes // MAX_PAYLOAD_BYTES)
        self._picture_id = random.randrange(1 << 15)

    def frame(self) -> list[tuple[bytes, bool]]:
        """Returns the payloads of the next frame, the last with the marker."""
        count = self.packets_per_frame
        self.keyframe_due |= self._gop_frames is not None and self.frames % self._gop_frames == 0
        sizes = [self._frame_bytes * (i + 1) // count - self._frame_bytes * i // count for i in range(count)]
        payloads = []
        for i, size in enumerate(sizes):
            head = struct.pack("!BBH", 0x80 | (0x10 if i == 0 else 0), 0x80, 0x8000 | self._picture_id)
            if i == 0:
                head += _frame_header(self.keyframe_due)
            payloads.append((head + body(self.packets + i, size - len(head)), i == count - 1))
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        self.frames += 1
        self.keyframes += self.keyframe_due
        self.keyframe_due = False
        self.timestamp += self.clock_hz // FRAMES_PER_S
        return payloads


class Audio(Track):
    """Opus packets of 20 ms."""

    def __init__(self) -> None:
        super().__init__(AUDIO_MID, AUDIO_PT, 48000)

    def frame(self) -> list[tuple[bytes, bool]]:
        """Returns the payload of the next packet."""
        self.timestamp += int(self.clock_hz * AUDIO_S)
        return [(body(self.packets, AUDIO_BYTES), self.packets == 0)]


def body(number: int, size: int) -> bytes:
    """Bytes that carry the packet `number` of their track, and a checkable pattern derived from it."""
    return _SERIAL.pack(number) + _noise(number)[: size - _SERIAL.size]


def video_serial(payload: bytes) -> int:
    """Returns the number of a VP8 payload in its track. Raises AssertionError if any byte was changed."""
    starts = payload[0] & 0x10
    head = _VP8_DESCRIPTOR_BYTES + (len(_frame_header(True)) if starts else 0)
    if starts:
        assert payload[_VP8_DESCRIPTOR_BYTES:head] in (_frame_header(True), _frame_header(False))
    return serial(payload[head:])


def starts_keyframe(payload: bytes) -> bool:
    """True if a decoder can start at this VP8 payload."""
    return payload[0] & 0x10 != 0 and payload[_VP8_DESCRIPTOR_BYTES:].startswith(_frame_header(True))


def serial(content: bytes) -> int:
    """Returns the argument of `body`. Raises AssertionError if any byte was changed."""
    number: int = _SERIAL.unpack_from(content)[0]
    assert content == body(number, len(content)), f"packet {number} is not as it was sent"
    return number


@functools.lru_cache(maxsize=4096)
def _noise(number: int) -> bytes:
    return random.Random(number).randbytes(MAX_PAYLOAD_BYTES)


def _frame_header(key: bool) -> bytes:
    """RFC 6386 section 9.1, with the size in every frame so that all frames begin alike."""
    return bytes([0x10 | (not key), 0, 0]) + b"\x9d\x01\x2a" + struct.pack("<HH", WIDTH, HEIGHT)
