"""What a load publisher sends: VP8 and Opus frames that start over when they are through.

Both are kept as IVF files, 32 bytes of header and 12 before each frame, which is all that a list of frames needs; that
of Opus is called OPUS where a codec's four letters stand.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

_HEADER = struct.Struct("<4sHH4sHHIIII")
_FRAME = struct.Struct("<IQ")


class ClipError(ValueError):
    """A file cannot be published. The message says why."""


@dataclass(frozen=True, slots=True)
class Track:
    """Encoded frames, each with its time from the start, and how long they take together; `clock_hz` of those times."""

    fourcc: bytes
    clock_hz: int
    size: tuple[int, int]
    frames: tuple[tuple[int, bytes], ...]
    length: int

    def to_ivf(self) -> bytes:
        """The track as a file; its length stands where others leave zero."""
        header = _HEADER.pack(
            b"DKIF", 0, _HEADER.size, self.fourcc, *self.size, self.clock_hz, 1, len(self.frames), self.length
        )
        return header + b"".join(_FRAME.pack(len(data), time) + data for time, data in self.frames)

    @classmethod
    def from_ivf(cls, data: bytes) -> Track:
        """Reads what `to_ivf` wrote. Raises ClipError."""
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
    """A picture and a sound, either of which may be missing."""

    video: Track | None
    audio: Track | None

    @property
    def length_s(self) -> float:
        """Seconds until it starts over: the longer track's."""
        return max(track.length / track.clock_hz for track in (self.video, self.audio) if track)


def test_pattern() -> Clip:
    """The clip that comes with this package, made by `python -m fanwire.control.load.transcode`."""
    folder = files(__package__)
    return Clip(*(Track.from_ivf((folder / f"pattern.{kind}.ivf").read_bytes()) for kind in ("video", "audio")))


def clip_of(path: Path | None) -> Clip:
    """The clip to publish: a file's, or the test pattern. Raises ClipError."""
    if path is None:
        return test_pattern()
    try:
        from .transcode import transcode_file
    except ImportError:
        raise ClipError("--publish-file needs PyAV: pip install 'fanwire[load]'") from None
    return transcode_file(path)
