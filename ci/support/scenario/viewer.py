"""A viewer: separates its streams, unwraps RTX, sends NACKs and receiver reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fanwire.fastpath.messages import AddConsumer, BindConsumer, ConsumerSpec, ProducerSpec
from fanwire.fastpath.testing import probes

from .packet import Packet, Tag
from .peer import Peer, ntp_at
from .specs import formats
from .wiretap import extend
from .world import World

FIRST_SEQ = 32_760  # so that numbers pass from the lower half to the upper in every scenario
FIRST_TIMESTAMP = 0xFFFFF000


@dataclass
class Received:
    """Received packets of one consumer, by extended sequence number."""

    spec: ConsumerSpec
    packets: dict[int, Packet] = field(default_factory=dict)
    arrivals_us: dict[int, int] = field(default_factory=dict)
    repaired: dict[int, Packet] = field(default_factory=dict)  # packets received as RTX, including duplicates
    rtx: list[Packet] = field(default_factory=list)  # RTX packets unchanged
    reports: list[tuple[int, probes.SenderInfo]] = field(default_factory=list)
    nacked: set[int] = field(default_factory=set)
    goodbye: bool = False
    highest: int = -1

    def ordered(self) -> list[Packet]:
        return [self.packets[number] for number in sorted(self.packets)]

    def missing(self) -> list[int]:
        return [n for n in range(min(self.packets), self.highest) if n not in self.packets] if self.packets else []

    def tags(self) -> list[Tag]:
        """The source's label, frame and packet of each packet, in sequence order."""
        return [tag for packet in self.ordered() if (tag := Tag.find(packet.payload))]

    def wall_clock(self, packet: Packet) -> float:
        """The capture time of a packet by the newest sender report, in seconds (RFC 3550 section 6.4.1)."""
        report = self.reports[-1][1]
        ticks = ((packet.timestamp - report["timestamp"] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        return report["ntp"] / (1 << 32) + ticks / self.spec.payload_types[0].clock_rate_hz


class Viewer(Peer):
    """A peer that watches. With `asks` it sends a NACK for a packet at the arrival of a later one."""

    def __init__(self, world: World, *, asks: bool = True, **options: Any) -> None:
        super().__init__(world, **options)
        self.asks = asks
        self.streams: dict[int, Received] = {}
        self.order: list[Packet] = []  # every media and RTX packet, in order of arrival

    def watch(
        self, spec: ConsumerSpec, producer: int = 0, source: ProducerSpec | None = None, *, same_clock: bool = False
    ) -> int:
        """Adds a consumer, and binds it if a producer is given. Returns its id."""
        self.streams[spec.ssrc] = Received(spec)
        self.world.wiretap.repair_ssrcs.add(spec.rtx_ssrc)
        command = AddConsumer(
            self.transport, spec, first_seq16=FIRST_SEQ, first_rtx_seq16=FIRST_SEQ, first_timestamp=FIRST_TIMESTAMP
        )
        consumer = self.world.submit(command, self.node)
        if source is not None:
            self.follow(consumer, spec, producer, source, same_clock=same_clock)
        return consumer

    def follow(
        self, consumer: int, spec: ConsumerSpec, producer: int, source: ProducerSpec, *, same_clock: bool = False
    ) -> None:
        """Binds a consumer to a producer."""
        self.world.submit(BindConsumer(consumer, producer, formats(source, spec), same_clock), self.node)

    def take_rtp(self, data: bytes) -> None:
        packet = Packet.parse(data)
        self.order.append(packet)
        for received in self.streams.values():
            if packet.ssrc == received.spec.ssrc:
                self._take_media(received, packet)
            elif packet.ssrc == received.spec.rtx_ssrc:
                self._take_rtx(received, packet)

    def _take_media(self, received: Received, packet: Packet) -> None:
        number = packet.seq if received.highest < 0 else extend(received.highest, packet.seq)
        assert number not in received.packets or number in received.repaired, "a number was given twice"
        gap = range(received.highest + 1, number) if received.highest >= 0 else []
        received.highest = max(received.highest, number)
        received.packets[number] = packet
        received.arrivals_us[number] = self.world.now_us
        if self.asks and gap:
            received.nacked |= set(gap)
            self.nack(received.spec.ssrc, list(gap))

    def _take_rtx(self, received: Received, packet: Packet) -> None:
        received.rtx.append(packet)
        number = extend(received.highest, int.from_bytes(packet.payload[:2], "big"))
        media = next(pt for pt in received.spec.payload_types if pt.rtx_pt == packet.pt)
        original = Packet(
            received.spec.ssrc, media.pt, number & 0xFFFF, packet.timestamp, packet.payload[2:], packet.marker,
            packet.extensions,
        )  # fmt: skip
        received.repaired[number] = original
        received.packets.setdefault(number, original)
        received.arrivals_us.setdefault(number, self.world.now_us)

    def take_rtcp(self, packet: probes.Rtcp) -> None:
        info = packet["sender_info"] if packet["type"] == 200 else None
        if info is not None and info["ssrc"] in self.streams:
            self.streams[info["ssrc"]].reports.append((self.world.now_us, info))
        for ssrc in packet["bye"] if packet["type"] == 203 else []:
            if ssrc in self.streams:
                self.streams[ssrc].goodbye = True

    def nack(self, ssrc: int, numbers: list[int]) -> None:
        writer = probes.RtcpWriter()
        writer.nack(1, ssrc, [number & 0xFFFF for number in numbers])
        self.send_rtcp(bytes(writer))

    def ask_keyframe(self, ssrc: int, *, fir: int | None = None) -> None:
        """Sends a PLI, or a FIR if given a command number."""
        writer = probes.RtcpWriter()
        if fir is None:
            writer.pli(1, ssrc)
        else:
            writer.fir(1, ssrc, fir)
        self.send_rtcp(bytes(writer))

    def report(self, ssrc: int, *, fraction_lost: int = 0, lost: int = 0, jitter_ticks: int = 0) -> None:
        """Sends a receiver report with correct LSR and DLSR."""
        received = self.streams[ssrc]
        last = received.reports[-1] if received.reports else None
        block: probes.ReportBlock = {
            "ssrc": ssrc,
            "fraction_lost": fraction_lost,
            "cumulative_lost": lost,
            "highest_seq": received.highest & 0xFFFFFFFF,
            "jitter_ticks": jitter_ticks,
            "last_sr": last[1]["ntp"] >> 16 & 0xFFFFFFFF if last else 0,
            "delay_sr": (ntp_at(self.world.now_us) - ntp_at(last[0])) >> 16 if last else 0,
        }
        writer = probes.RtcpWriter()
        writer.rr(1, [block])
        self.send_rtcp(bytes(writer))
