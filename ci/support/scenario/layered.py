"""Sources with layers and known frame references, and a decoder that checks received frames against them."""

from __future__ import annotations

import itertools
import random
import struct
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from fanwire.fastpath.messages import Codec, Extension
from fanwire.fastpath.testing import probes

from ..dependency import Structure, Template, descriptor
from .packet import TAG, Packet, Tag
from .publisher import Source
from .viewer import Received

# Temporal layer, and true if the frame refers to layer 0 only: a cycle of eight, as in libvpx's three layers.
THREE = [(0, True), (2, True), (1, True), (2, False), (0, True), (2, False), (1, False), (2, False)]
TWO = [(0, True), (1, True)]

SPS = b"\x67\x42\xe0\x1f\x8c\x8d\x40\x50\x1e\xd0\x0f\x08\x84\x6a"
PPS = b"\x68\xce\x3c\x80"


@dataclass(frozen=True)
class Layer:
    """One frame of one spatial layer: its type, its packet count, and the frames that it refers to."""

    picture: int
    spatial: int
    temporal: int
    keyframe: bool
    packets: int
    refers: frozenset[int]
    counted: int  # pictures so far, including those dropped by the encoder


# AV1's templates of one spatial layer, in order: temporal layer, keyframe, switch point.
TEMPLATES = [(0, True, True), (0, False, True), (0, False, False), (1, False, False), (2, False, False)]


def refers_below(mode: str, *, keyframe: bool) -> bool:
    """True if a spatial layer refers to the one below it in the same picture."""
    return mode.startswith("L") and (keyframe or not mode.endswith("_KEY"))


def structure(mode: str) -> Structure:
    """Decode targets are one of each spatial and temporal layer, in that order."""

    def dti(spatial: int, temporal: int, target: tuple[int, int], *, keyframe: bool, switch: bool) -> str:
        below = spatial < target[0] and refers_below(mode, keyframe=keyframe)
        if temporal > target[1] or not (below or spatial == target[0]):
            return "-"
        return "S" if switch and not below else "R"

    spatials = int(mode[1])
    targets = list(itertools.product(range(spatials), range(3)))
    return Structure(
        [
            Template(
                spatial,
                temporal,
                "".join(dti(spatial, temporal, target, keyframe=keyframe, switch=switch) for target in targets),
                [1] if spatial and keyframe and refers_below(mode, keyframe=True) else [],
            )
            for spatial in range(spatials)
            for temporal, keyframe, switch in TEMPLATES
        ],
        id_offset=60,
    )


class Layered(Source):
    """VP8, VP9, AV1 or H264 in a scalability mode of three temporal layers, as the W3C's WebRTC-SVC names them: L1T3,
    L3T3, L3T3_KEY, S3T3. VP8 and H264 have one spatial layer.

    H264 in L1T3 carries its layers in the descriptor if `described`, else in prefix NAL units. In L1T2 it carries none:
    no frame refers to the upper layer.

    With `flexible`, VP9 is in flexible mode, without TL0PICIDX. `skips`: the share of cycles of four VP9 pictures in
    which the encoder drops one; P_DIFFs count it, as in libwebrtc. `cuts`: the share of VP9 pictures sent without
    their higher spatial layers and without the marker, as libwebrtc does.

    With `syncs`, higher spatial layers of AV1 refer only to the layer below at the start of a cycle."""

    def __init__(
        self,
        *args: Any,
        mode: str = "L1T3",
        described: bool = True,
        flexible: bool = False,
        syncs: bool = False,
        skips: float = 0,
        cuts: float = 0,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.mode, self.flexible, self.syncs = mode, flexible, syncs
        self.skips, self.cuts = skips, cuts
        self.pattern = TWO if mode.endswith("T2") else THREE
        self.described = self.pt.codec is Codec.AV1 or (self.pt.codec is Codec.H264 and mode == "L1T3" and described)
        self.spatials = int(mode[1])
        self.active = self.spatials  # spatial layers sent
        self.structure = structure(mode)
        self.layers: dict[int, Layer] = {}  # by frame
        self._step = 0
        self._random = random.Random(self.ssrc)
        self._skipped = 0
        self._skips_step: int | None = None
        self._newest: dict[tuple[int, int], int] = {}  # by spatial and temporal layer

    def send_frame(self) -> None:
        keyframe = self.keyframe_due
        self.keyframe_due = False
        self.keyframes += keyframe
        self._step = 0 if keyframe else (self._step + 1) % len(self.pattern)
        if keyframe:
            self._newest.clear()
        temporal, sync = self.pattern[self._step]
        if self._step == 0:
            self._newest = {layer: frame for layer, frame in self._newest.items() if layer[1] == 0}
        self.picture_id += 1
        self.tl0 += temporal == 0
        self._skip()
        write = getattr(self, f"_{self.pt.codec.name.lower()}")
        cut = not keyframe and self._random.random() < self.cuts
        for spatial in range(self._random.randrange(1, self.active) if cut else self.active):
            self.frame += 1
            refers = self._references(spatial, temporal, keyframe=keyframe, sync=sync)
            self.layers[self.frame] = Layer(
                self.picture_id,
                spatial,
                temporal,
                keyframe,
                self.packets_per_frame,
                frozenset(refers),
                self.picture_id + self._skipped,
            )
            self._newest[spatial, temporal] = self.frame
            for index in range(self.packets_per_frame):
                last = index == self.packets_per_frame - 1
                head = write(spatial, temporal, keyframe=keyframe, sync=sync, first=index == 0, last=last)
                body = bytes(Tag(self.label, self.frame, index)) + bytes(self.payload_bytes)
                extensions = self._describe(spatial, temporal, keyframe=keyframe, first=index == 0, last=last)
                self.send_payload(head + body, marker=last and spatial == self.active - 1, extensions=extensions)

    def _skip(self) -> None:
        """Decides at the start of a cycle of four before which of its other pictures one is dropped, if any."""
        if self._step % 4 == 0:
            self._skips_step = self._random.randrange(1, 4) if self._random.random() < self.skips else None
        self._skipped += self._step % 4 == self._skips_step

    def _references(self, spatial: int, temporal: int, *, keyframe: bool, sync: bool) -> list[int]:
        found = []
        if not keyframe and not (spatial > 0 and self._starts_layers()):
            lowest = temporal == 0 or sync
            found += [
                self._newest[spatial, t] for t in range(1 if lowest else temporal + 1) if (spatial, t) in self._newest
            ]
        if spatial > 0 and refers_below(self.mode, keyframe=keyframe):
            found.append(self.frame - 1)
        return found

    def _starts_layers(self) -> bool:
        """True if a decoder can start a spatial layer at this picture although it is no keyframe."""
        return self.syncs and self._step == 0

    def _vp8(self, _: int, temporal: int, *, keyframe: bool, sync: bool, first: bool, last: bool) -> bytes:
        """RFC 7741 section 4.2, then the frame's header."""
        layer = temporal << 6 | (temporal > 0 and sync) << 5 | self.keyframes & 0x1F
        descriptor = struct.pack(
            "!BBHBB", 0x90 if first else 0x80, 0xF0, 0x8000 | self.picture_id & 0x7FFF, self.tl0 & 0xFF, layer
        )
        if not first:
            return descriptor
        return descriptor + (
            b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", *self.size) if keyframe else b"\x11\x00\x00"
        )

    def _vp9(self, spatial: int, temporal: int, *, keyframe: bool, sync: bool, first: bool, last: bool) -> bytes:
        """RFC 9628 section 4.2; U at the start of a cycle that refers to no earlier picture."""
        own = self.layers[self.frame]
        before = [self.layers[other] for other in own.refers]
        steps = [own.counted - other.counted for other in before if other.spatial == spatial]
        unused = not refers_below(self.mode, keyframe=keyframe) or spatial == self.spatials - 1
        sized = keyframe and first
        bits = 0x80 | bool(steps) << 6 | 0x20 | self.flexible << 4 | first << 3 | last << 2 | sized << 1 | unused
        depends = spatial > 0 and refers_below(self.mode, keyframe=keyframe)
        ids = temporal << 5 | (self._step == 0) << 4 | spatial << 1 | depends
        head = struct.pack("!BHB", bits, 0x8000 | self.picture_id & 0x7FFF, ids)
        if self.flexible:
            head += bytes(step << 1 | (place < len(steps) - 1) for place, step in enumerate(steps))
        else:
            head += bytes([self.tl0 & 0xFF])
        if not sized:
            return head
        shifts = range(self.active - 1, -1, -1)
        sizes = b"".join(struct.pack("!HH", self.size[0] >> shift, self.size[1] >> shift) for shift in shifts)
        return head + bytes([self.active - 1 << 5 | 0x10]) + sizes

    def _av1(self, spatial: int, _: int, *, keyframe: bool, sync: bool, first: bool, last: bool) -> bytes:
        """One element, a part of a frame; N at the start of a coded video sequence (AV1 RTP, section 4.4)."""
        new_sequence = first and self._independent(spatial, keyframe=keyframe)
        return bytes([0x10 | new_sequence << 3 | (not first) << 7 | (not last) << 6, 0x30])

    def _h264(self, _: int, temporal: int, *, keyframe: bool, sync: bool, first: bool, last: bool) -> bytes:
        """Fragments (RFC 6184 section 5.8); before them, or with a single one, the NAL units that a slice needs."""
        refers = 0 if self.mode == "L1T2" and temporal == 1 else 0x60
        kind = 5 if keyframe else 1
        if not first:
            return bytes([refers | 28, last << 6 | kind])
        prefix = bytes([refers | 14, 0x80 | keyframe << 6, 0x80, temporal << 5 | 7])
        units = [SPS, PPS] if keyframe else []
        if self.mode != "L1T2" and not self.described:
            if not keyframe and not last:
                return prefix
            units.append(prefix)
        whole = bytes([refers | kind, 0x88])
        aggregate = b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
        return bytes([0x78]) + aggregate + struct.pack("!H", len(whole) + TAG.size + self.payload_bytes) + whole

    def _dtis_of_start(self, spatial: int) -> str:
        return "".join("S" if target >= spatial else "-" for target in range(self.spatials) for _ in range(3))

    def _independent(self, spatial: int, *, keyframe: bool) -> bool:
        return keyframe and (spatial == 0 or not refers_below(self.mode, keyframe=True))

    def _describe(
        self, spatial: int, temporal: int, *, keyframe: bool, first: bool, last: bool
    ) -> dict[int, bytes] | None:
        """The dependency descriptor; the first packet of a frame without references carries a structure."""
        if not self.described:
            return None
        template = TEMPLATES.index((temporal, keyframe, self._step == 0)) + spatial * len(TEMPLATES)
        written = descriptor(
            template + self.structure.id_offset,
            self.frame,
            start=first,
            end=last,
            structure=self.structure if first and self._independent(spatial, keyframe=keyframe) else None,
            active=((1 << 3 * self.active) - 1, 3 * self.spatials) if self.active < self.spatials else None,
            dtis=self._dtis_of_start(spatial) if self._starts_layers() and not keyframe else None,
            fdiffs=None if keyframe else sorted(self.frame - other for other in self.layers[self.frame].refers),
        )
        return {self.spec.extensions[Extension.DEPENDENCY_DESCRIPTOR]: written}


def decode(received: Received, *sources: Layered) -> list[tuple[int, Layer]]:
    """Returns the received frames, as (label, frame), in sequence order. Fails where a decoder would: a missing number,
    an incomplete or misplaced frame, a reference to a missing frame, a picture without a marker at its end, or picture
    ids against the codec's rules."""
    assert received.missing() == []
    books = {source.label: source for source in sources}
    packets = [(Tag.find(p.payload), p) for p in received.ordered()]
    media = [(tag, p) for tag, p in packets if tag is not None]
    # A switch of source does not wait for the rest of the previous source.
    cut = {(a.label, a.frame) for (a, _), (b, _) in itertools.pairwise(media) if a.label != b.label}
    came: defaultdict[tuple[int, int], int] = defaultdict(int)
    for key, group in itertools.groupby(media, key=lambda m: (m[0].label, m[0].frame)):
        indexes = [tag.index for tag, _ in group]
        again = books[key[0]].layers[key[1]].keyframe and key in cut  # a switch there and back within one picture
        assert key not in came or again, "a frame comes in two places"
        came[key] = len(indexes)
        whole = list(range(books[key[0]].layers[key[1]].packets))
        assert indexes == whole or (key in cut and indexes == whole[: len(indexes)]), "a frame is not whole"
    for label, frame in came:
        for other in books[label].layers[frame].refers:
            assert (label, other) in came, "a frame refers to one that was left out"
    for (tag, before), (_, after) in itertools.pairwise(media):
        step = (after.timestamp - before.timestamp) & 0xFFFFFFFF
        assert step < 1 << 31, "time runs backwards"
        assert before.marker == (step > 0) or (tag.label, tag.frame) in cut, "the marker does not end the picture"
    hollow = list(itertools.accumulate(int(tag is None) for tag, _ in packets))
    starts = [(books[t.label], t.frame, p, n) for (t, p), n in zip(packets, hollow, strict=True) if t and t.index == 0]
    if received.spec.payload_types[0].codec in (Codec.VP8, Codec.VP9):
        _check_ids(received, starts)
    else:
        _check_numbers(received, starts)
    return [(label, books[label].layers[frame]) for label, frame in came]


def _check_numbers(received: Received, starts: list[tuple[Layered, int, Packet, int]]) -> None:
    """Frames refer by the difference of their numbers, which must match the source's, also with dropped frames."""
    ident = received.spec.extensions.get(Extension.DEPENDENCY_DESCRIPTOR)
    for (source, frame, before, _), (source_after, frame_after, after, _) in itertools.pairwise(starts):
        if source is not source_after:
            assert source_after.layers[frame_after].keyframe
        if ident is None or not source.described:
            continue
        numbers = [int.from_bytes(packet.extensions[ident][1:3], "big") for packet in (before, after)]
        step = (numbers[1] - numbers[0]) & 0xFFFF
        if source is source_after:
            assert step == frame_after - frame, "a frame is not where those that refer to it look"
        else:
            assert 1 <= step < 1 << 12, "frame numbers do not go on"


def _check_ids(received: Received, starts: list[tuple[Layered, int, Packet, int]]) -> None:
    vp8 = received.spec.payload_types[0].codec is Codec.VP8
    for (source, number, packet, hollow), (
        source_after,
        number_after,
        packet_after,
        hollow_after,
    ) in itertools.pairwise(starts):
        before = (probes.vp8 if vp8 else probes.vp9)(packet.payload)
        after = (probes.vp8 if vp8 else probes.vp9)(packet_after.payload)
        assert before is not None
        assert after is not None
        layer, layer_after = source.layers[number], source_after.layers[number_after]
        step = (after["picture_id"] - before["picture_id"]) & 0x7FFF
        tl0_step = (after["tl0_pic_idx"] - before["tl0_pic_idx"]) & 0xFF if before["has_tl0"] else None
        switched = source is not source_after
        if vp8 or switched:
            # A dropped picture too late to be skipped was sent as padding and keeps its id; all VP9 pictures do.
            most = 1 + hollow_after - hollow if vp8 else len(THREE)
            assert 1 <= step <= most, "picture ids do not follow one another"
        else:
            assert step == layer_after.picture - layer.picture, "a picture is not where those that refer to it look"
        steps = packet_after.payload[after["refs_offset"] :][: after["ref_count"]]
        assert len({step >> 1 for step in steps}) == len(steps), "a picture is named twice"
        if source_after.flexible and layer_after.temporal == 0:
            named = {layer_after.picture - (step >> 1) for step in steps}
            came = {source_after.layers[number].picture for other, number, _, _ in starts if other is source_after}
            assert named <= came, "the lowest layer says that it refers to a picture that was left out"
        new_base = layer_after.temporal == 0 and (switched or layer_after.picture != layer.picture)
        assert tl0_step in (new_base, None), "TL0PICIDX does not count the lowest layer"
        if vp8:
            assert (after["keyidx"] - before["keyidx"]) & 31 == layer_after.keyframe, "KEYIDX is no count of keyframes"
        if switched:
            assert layer_after.keyframe


def decode_at_once(received: Received, source: Layered) -> list[int]:
    """Returns the decode time of VP9 or AV1 pictures in a decoder that does not wait, like libwebrtc's FrameBuffer: it
    decodes a picture at the arrival of its last frame and of the references of its received frames, and ignores late
    frames."""
    frames: defaultdict[int, list[Packet]] = defaultdict(list)
    waiting: defaultdict[int, dict[int, set[int]]] = defaultdict(dict)  # references by picture and frame
    ends: set[int] = set()
    decoded: set[int] = set()
    times: list[int] = []
    for number, packet in received.packets.items():  # in order of arrival
        tag = Tag.find(packet.payload)
        if tag is None:
            continue
        layer = source.layers[tag.frame]
        frames[tag.frame].append(packet)
        if len(frames[tag.frame]) < layer.packets or tag.frame < max(decoded, default=0):
            continue
        tied = any(_is_tied(received, source, p) for p in frames[tag.frame])
        waiting[layer.picture][tag.frame] = set(layer.refers) | ({tag.frame - 1} if tied else set())
        ends |= {tag.frame for p in frames[tag.frame] if p.marker}
        for picture in sorted(waiting):
            unit = waiting[picture]
            if ends & unit.keys() and set().union(*unit.values()) <= decoded | unit.keys():
                decoded |= unit.keys()
                times.append(received.arrivals_us[number])
                for passed in [other for other in waiting if other <= picture]:
                    del waiting[passed]
    return times


def _is_tied(received: Received, source: Layered, packet: Packet) -> bool:
    """True if VP9's D bit or the descriptor states a reference to the previous frame."""
    if not source.described:
        return bool(packet.payload[0] & 0x08 and packet.payload[3] & 1)
    carrier = descriptor(source.structure.id_offset, 0, structure=source.structure)
    own = packet.extensions[received.spec.extensions[Extension.DEPENDENCY_DESCRIPTOR]]
    carries = len(own) > 3 and own[3] & 0x80
    return len(own) > 3 and not carries and probes.dd_tie(own, carrier) is None
