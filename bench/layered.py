"""Streams of which a subscriber gets a part, made up as those of bench.media; and one of which nothing is rewritten."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ci.support.dependency import Structure, Template, descriptor
from fanwire.fastpath.messages import Codec, Encoding, Extension, Kind, PayloadType
from fanwire.fastpath.testing.probes import ext_write

from .media import EXTENSIONS, MID, Stream, Video

SPATIAL_LAYERS = 3
DESCRIPTOR_ID = 4
# Decode targets are (spatial, temporal) = (0, 0), (0, 1), (1, 0) and so on. After a keyframe all refer to the lowest
# temporal layer of the picture before, and to the spatial layer below.
_STRUCTURE = Structure(
    [
        Template(spatial, temporal, "".join(dtis), [])
        for spatial in range(SPATIAL_LAYERS)
        for temporal, dtis in (
            (0, ["--" if s < spatial else "SS" if s == spatial else "RR" for s in range(SPATIAL_LAYERS)]),
            (1, ["--" if s < spatial else "-D" if s == spatial else "-R" for s in range(SPATIAL_LAYERS)]),
        )
    ]
)


class Opaque(Stream):
    """H264: no byte of its payload is rewritten, and it has no layers that the server knows."""

    __slots__ = ()
    kind = Kind.VIDEO
    format = PayloadType(102, Codec.H264, 90000, rtx_pt=103, nack=True, pli=True, fir=True, transport_cc=True)
    frame_ticks = 3000

    def _head(self, index: int, count: int) -> bytes:
        """A NAL unit of its own in each packet, of an IDR picture or another; first_mb_in_slice 0 in the first."""
        return bytes([0x65 if self.keyframe_due else 0x41, 0x80 if index == 0 else 0x40])


class TwoRates(Video):
    """VP8 in two temporal layers."""

    __slots__ = ()

    def _layer(self) -> tuple[int, int]:
        temporal = self.frame % 2
        return self.frame // 2 & 0xFF, temporal << 6 | temporal << 5


@dataclass(slots=True)
class Simulcast(Video):
    """VP8 in two encodings, of which each has half of a frame's packets."""

    other: Video = field(init=False)

    def __post_init__(self) -> None:
        self.other = Video(self.ssrc ^ 2)

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        return Encoding(ssrc=self.ssrc), Encoding(ssrc=self.other.ssrc)

    def next_frame(self, sizes: Sequence[int]) -> list[bytes]:
        half = len(sizes) // 2
        self.other.keyframe_due = self.keyframe_due
        self.other.transport_cc = self.transport_cc + half
        made = Video.next_frame(self, sizes[:half]) + self.other.next_frame(sizes[half:])
        self.transport_cc += half
        return made


def spatial_layer(index: int, count: int) -> tuple[int, bool, bool]:
    """Of a packet of a picture: its layer, and whether it is that layer's first and last. The highest has a fifth."""
    highest = count // 5
    ends = [(count - highest) // 2, count - highest, count]
    layer = next(i for i, end in enumerate(ends) if index < end)
    return layer, index in (0, *ends), index + 1 in ends


class Vp9(Stream):
    """VP9 in three spatial and two temporal layers, not in flexible mode (RFC 9628 section 4.2)."""

    __slots__ = ()
    kind = Kind.VIDEO
    format = PayloadType(98, Codec.VP9, 90000, rtx_pt=99, nack=True, pli=True, fir=True, transport_cc=True)
    frame_ticks = 3000

    def _head(self, index: int, count: int) -> bytes:
        spatial, first, last = spatial_layer(index, count)
        temporal = self.frame % 2
        bits = 0x80 | (not self.keyframe_due) << 6 | 0x20 | first << 3 | last << 2
        ids = temporal << 5 | (temporal == 0) << 4 | spatial << 1 | (spatial > 0)
        return struct.pack("!BHBB", bits, 0x8000 | self.frame & 0x7FFF, ids, self.frame // 2 & 0xFF)


class Av1(Stream):
    """AV1 in three spatial and two temporal layers, with dependency descriptors."""

    __slots__ = ()
    kind = Kind.VIDEO
    format = PayloadType(45, Codec.AV1, 90000, rtx_pt=46, nack=True, pli=True, fir=True, transport_cc=True)
    frame_ticks = 3000
    extensions: ClassVar[Mapping[Extension, int]] = {**EXTENSIONS, Extension.DEPENDENCY_DESCRIPTOR: DESCRIPTOR_ID}

    def _extensions(self, index: int, count: int) -> bytes:
        spatial, first, last = spatial_layer(index, count)
        starts = self.keyframe_due and index == 0
        described = descriptor(
            2 * spatial + self.frame % 2,
            self.frame * SPATIAL_LAYERS + spatial,
            start=first,
            end=last,
            structure=_STRUCTURE if starts else None,
        )
        elements = [
            (EXTENSIONS[Extension.MID], MID.encode()),
            (EXTENSIONS[Extension.ABS_SEND_TIME], bytes(3)),
            (EXTENSIONS[Extension.TRANSPORT_CC], struct.pack("!H", self.transport_cc & 0xFFFF)),
            (DESCRIPTOR_ID, described),
        ]
        return ext_write(elements, len(described) > 16)[0]

    def _head(self, index: int, count: int) -> bytes:
        """The aggregation header (W = 1) and an OBU_FRAME."""
        return b"\x10\x30"
