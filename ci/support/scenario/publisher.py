"""A publisher: sources that send frames, answer NACKs, send sender reports, and number packets for TWCC."""

from __future__ import annotations

from typing import Any

from fanwire.fastpath.messages import AddProducer, Codec, Extension, PayloadType, ProducerSpec
from fanwire.fastpath.testing import probes

from .packet import PAYLOADS, Frame, Packet, Tag
from .peer import Peer, ntp_at, sdes
from .world import World


class Source:
    """One encoding: `packets_per_frame` packets every `interval_us`, a keyframe first and at each request."""

    def __init__(
        self,
        publisher: Publisher,
        spec: ProducerSpec,
        pt: PayloadType,
        *,
        ssrc: int,
        rtx_ssrc: int = 0,
        rid: str = "",
        label: int = 0,
        seq: int = 65_500,
        timestamp: int = 0xFFFF0000,
        interval_us: int = 40_000,
        packets_per_frame: int = 3,
        size: tuple[int, int] = (1280, 720),
        payload_bytes: int = 300,
        picture_id: int = 0x7FF0,
        tl0: int = 250,
    ) -> None:
        self.publisher, self.spec, self.pt = publisher, spec, pt
        self.ssrc, self.rtx_ssrc, self.rid, self.label = ssrc, rtx_ssrc, rid, label
        self.seq, self.rtx_seq = seq, 65_000
        self.timestamp = timestamp
        self.interval_us, self.packets_per_frame = interval_us, packets_per_frame
        self.size, self.payload_bytes = size, payload_bytes
        self.picture_id, self.tl0 = picture_id, tl0
        self.frame = 0
        self.keyframes = 0
        self.keyframe_due = True
        self.obeys = True  # answers keyframe requests
        self.repairs = True  # answers NACKs
        self.running = False
        self.reports = False
        self.requests_us: list[int] = []  # times of keyframe requests
        self.nacks: list[tuple[int, int]] = []  # (time, sequence number)
        self.history: dict[int, Packet] = {}  # by 16-bit sequence number
        self.packets = self.octets = 0

    def start(self, *, reports: bool = True) -> Source:
        self.running = True
        if reports and not self.reports:
            self.reports = True
            self.publisher.world.every(1_000_000, self._report_again)
        self.publisher.world.every(self.interval_us, self._frame_again)
        return self

    def stop(self) -> None:
        self.running = self.reports = False

    def _frame_again(self) -> bool:
        if self.running:
            self.send_frame()
        return self.running

    def _report_again(self) -> bool:
        if self.reports:
            self.send_report()
        return self.reports

    def clock(self) -> int:
        """The current RTP timestamp."""
        return self.timestamp + self.publisher.world.now_us * self.pt.clock_rate_hz // 1_000_000

    def send_frame(self) -> None:
        keyframe = self.keyframe_due
        self.keyframe_due = False
        self.keyframes += keyframe
        self.frame += 1
        self.picture_id += 1
        self.tl0 += 1
        for index in range(self.packets_per_frame):
            frame = Frame(keyframe, index == 0, self.size, self.picture_id, self.tl0)
            body = bytes(Tag(self.label, self.frame, index)) + bytes(self.payload_bytes)
            self.send_payload(PAYLOADS[self.pt.codec](frame, body), marker=index == self.packets_per_frame - 1)

    def send_payload(
        self, payload: bytes, *, marker: bool = False, extensions: dict[int, bytes] | None = None, padding: int = 0
    ) -> Packet:
        packet = Packet(
            self.ssrc, self.pt.pt, self.seq & 0xFFFF, self.clock() & 0xFFFFFFFF, payload, marker, padding=padding
        )
        packet.extensions = self._names() | (extensions or {})
        self.seq += 1
        self.packets += 1
        self.octets += len(payload)
        self.history[packet.seq] = packet
        self.publisher.send_packet(packet, original=(self.ssrc, packet.seq))
        return packet

    def _names(self, *, repaired: bool = False) -> dict[int, bytes]:
        ids = self.spec.extensions
        names = {}
        if Extension.MID in ids:
            names[ids[Extension.MID]] = self.spec.mid.encode()
        rid = Extension.REPAIRED_RID if repaired else Extension.RID
        if self.rid and rid in ids:
            names[ids[rid]] = self.rid.encode()
        return names

    def repair(self, seq16: int) -> None:
        """Retransmits a packet, as RTX (RFC 4588) if negotiated."""
        packet = self.history.get(seq16)
        if packet is None or not self.rtx_ssrc or self.pt.rtx_pt is None:
            return
        self.rtx_seq += 1
        again = Packet(
            self.rtx_ssrc,
            self.pt.rtx_pt,
            self.rtx_seq & 0xFFFF,
            packet.timestamp,
            seq16.to_bytes(2, "big") + packet.payload,
            packet.marker,
            self._extensions_again(packet),
        )
        self.publisher.send_packet(again, original=(self.ssrc, seq16))

    def _extensions_again(self, packet: Packet) -> dict[int, bytes]:
        """The extensions of a retransmission: its RID becomes the repaired RID (RFC 8852 section 3.2)."""
        rid = self.spec.extensions.get(Extension.RID)
        return {ident: data for ident, data in packet.extensions.items() if ident != rid} | self._names(repaired=True)

    def probe(self, padding: int = 200) -> None:
        """Sends an RTX packet of padding only, as bandwidth probes do."""
        assert self.pt.rtx_pt is not None
        self.rtx_seq += 1
        packet = Packet(
            self.rtx_ssrc, self.pt.rtx_pt, self.rtx_seq & 0xFFFF, self.clock(), padding=padding,
            extensions=self._names(repaired=True),
        )  # fmt: skip
        self.publisher.send_packet(packet, original=None)

    def send_report(self) -> None:
        writer = probes.RtcpWriter()
        writer.sr(
            {
                "ssrc": self.ssrc,
                "ntp": ntp_at(self.publisher.world.now_us),
                "timestamp": self.clock() & 0xFFFFFFFF,
                "packets": self.packets,
                "octets": self.octets & 0xFFFFFFFF,
            }
        )
        self.publisher.send_rtcp(bytes(writer) + sdes(self.ssrc))

    def say_goodbye(self) -> None:
        writer = probes.RtcpWriter()
        writer.rr(self.ssrc, [])
        writer.bye([self.ssrc])
        self.publisher.send_rtcp(bytes(writer))

    def take_keyframe_request(self) -> None:
        self.requests_us.append(self.publisher.world.now_us)
        self.keyframe_due = self.keyframe_due or self.obeys

    def take_nack(self, seqs: list[int]) -> None:
        self.nacks += [(self.publisher.world.now_us, seq) for seq in seqs]
        for seq in seqs if self.repairs else []:
            self.repair(seq)


def nacked(packet: probes.Rtcp) -> list[int]:
    """The sequence numbers that a generic NACK names."""
    return [
        (first + offset) & 0xFFFF
        for first, mask in packet["nack"]
        for offset in range(17)
        if offset == 0 or mask >> (offset - 1) & 1
    ]


class Publisher(Peer):
    """A peer that sends. `feedback` keeps every received RTCP packet with its time."""

    def __init__(self, world: World, **options: Any) -> None:
        super().__init__(world, **options)
        self.sources: dict[int, Source] = {}
        self.feedback: list[tuple[int, probes.Rtcp]] = []
        self.cc = 65_000  # transport-wide sequence number, extended
        self.cc_of: dict[tuple[int, int], int] = {}  # by SSRC and 16-bit sequence number
        self.cc_arrivals_us: dict[int, int | None] = {}  # None: lost on the way
        self._original: dict[tuple[int, int], tuple[int, int] | None] = {}
        self._repaired: set[tuple[int, int]] = set()

    def publish(self, spec: ProducerSpec) -> int:
        """Adds a producer. Returns its id."""
        return self.world.submit(AddProducer(self.transport, spec), self.node)

    def source(self, spec: ProducerSpec, codec: Codec | None = None, **options: Any) -> Source:
        """A source of a producer of this spec, not started."""
        pt = next(pt for pt in spec.payload_types if codec is None or pt.codec is codec)
        source = Source(self, spec, pt, **options)
        self.sources[source.ssrc] = source
        return source

    def send_packet(self, packet: Packet, original: tuple[int, int] | None) -> None:
        ids = self.sources_spec(packet).extensions
        key = (packet.ssrc, packet.seq)
        if Extension.TRANSPORT_CC in ids:
            packet.extensions[ids[Extension.TRANSPORT_CC]] = (self.cc & 0xFFFF).to_bytes(2, "big")
            self.cc_of[key] = self.cc
            self.cc_arrivals_us[self.cc] = None
            self.cc += 1
        if Extension.ABS_SEND_TIME in ids:
            packet.extensions[ids[Extension.ABS_SEND_TIME]] = b"\xab\xcd\xef"
        self._original[key] = original
        self.send_rtp(bytes(packet))

    def sources_spec(self, packet: Packet) -> ProducerSpec:
        return next(s.spec for s in self.sources.values() if packet.ssrc in (s.ssrc, s.rtx_ssrc))

    def lost_up(self, data: bytes) -> None:
        original = self._original_of(data)
        if original is not None and original not in self._repaired:
            self.world.wiretap.missing.add((self.key, *original))

    def arrived_up(self, data: bytes) -> None:
        original = self._original_of(data)
        if original is not None:
            self._repaired.add(original)
            self.world.wiretap.missing.discard((self.key, *original))
        if probes.demux(data) == "rtp" and (cc := self.cc_of.get(self._key_of(data))) is not None:
            self.cc_arrivals_us[cc] = self.world.now_us

    def _key_of(self, data: bytes) -> tuple[int, int]:
        header = probes.rtp_header(data)
        assert header is not None
        return header["ssrc"], header["seq16"]

    def _original_of(self, data: bytes) -> tuple[int, int] | None:
        return self._original.get(self._key_of(data)) if probes.demux(data) == "rtp" else None

    def take_rtcp(self, packet: probes.Rtcp) -> None:
        self.feedback.append((self.world.now_us, packet))
        media = packet["feedback"][1] if packet["feedback"] else None
        if packet["type"] == 206 and packet["count"] == 1 and media in self.sources:
            self.sources[media].take_keyframe_request()
        for ssrc, _ in packet["fir"] if packet["type"] == 206 and packet["count"] == 4 else []:
            self.sources[ssrc].take_keyframe_request()
        if packet["type"] == 205 and packet["count"] == 1 and media in self.sources:
            self.sources[media].take_nack(nacked(packet))

    def of_type(self, kind: int, count: int | None = None) -> list[tuple[int, probes.Rtcp]]:
        """The feedback of one RTCP packet type (and format)."""
        return [(at, p) for at, p in self.feedback if p["type"] == kind and count in (None, p["count"])]
