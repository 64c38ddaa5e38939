"""A clip: VP8 and Opus frames that load publishers send in a loop.

Each track is stored as an IVF file: a header of 32 bytes, then each frame after 12 bytes with its size and time. IVF
defines no FourCC for Opus; these files use OPUS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("<4sHH4sHHIIII")
_FRAME = struct.Struct("<IQ")


class ClipError(ValueError):
    """A file cannot be published. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class Track:
    """Encoded frames, each with its time from the start. Times and `length` are in ticks of `clock_hz`."""

    fourcc: bytes
    clock_hz: int
    size: tuple[int, int]
    frames: tuple[tuple[int, bytes], ...]
    length: int

    def to_ivf(self) -> bytes:
        """The track as an IVF file, with `length` in the header field that other writers leave zero."""
        header = _HEADER.pack(
            b"DKIF", 0, _HEADER.size, self.fourcc, *self.size, self.clock_hz, 1, len(self.frames), self.length
        )
        return header + b"".join(_FRAME.pack(len(data), time) + data for time, data in self.frames)

    @classmethod
    def from_ivf(cls, data: bytes) -> Track:
        """Reads a file that `to_ivf` wrote. Raises ClipError."""
        try:
            magic, _, start, fourcc, width, height, clock_hz, _, _, length = _HEADER.unpack_from(data)
            frames = []
            while start < len(data):
                size, time = _FRAME.unpack_from(data, start)
                start += _FRAME.size + size
                frames.append((time, data[start - size : start]))
        except struct.error:
            raise ClipError("not a whole IVF file") from None
        if magic != b"DKIF" or not frames or start != len(data):
            raise ClipError("not a whole IVF file")
        return cls(fourcc, clock_hz, (width, height), tuple(frames), length)


@dataclass(frozen=True, slots=True)
class Clip:
    """A video and an audio track. One of them may be missing."""

    video: Track | None
    audio: Track | None

    @property
    def length_s(self) -> float:
        """Seconds until the clip repeats: the length of the longer track."""
        return max(track.length / track.clock_hz for track in (self.video, self.audio) if track)
