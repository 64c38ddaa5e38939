"""Measures the CPU share of a worker with thousands of viewers at low bit rates: `python -m bench.idle --help`."""

from __future__ import annotations

import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from fanwire.fastpath.messages import AddConsumer, AddProducer, BindConsumer, Encoding, ProducerSpec
from fanwire.fastpath.testing.probes import RtcpWriter
from fanwire.fastpath.testing.replay import Replay

from .command import backend_option, option, run
from .media import EXTENSIONS, MID, Audio
from .options import PROFILES
from .peers import Peer, subscribers, udp_socket
from .percentiles import Percentiles, of_values
from .printing import Row, as_text
from .scene import consumer_spec
from .usage import machine, stay_aside
from .workers import Workers

if TYPE_CHECKING:
    from fanwire.fastpath.testing.probes import ReportBlock

DESCRIPTION = """Quiet viewers in small rooms on one worker, in real time: each is sent ten packets of 100 bytes a
second, and sends transport-cc feedback every 100 ms, a receiver report a second, and a consent check every 2.5 s, all
spread evenly. With --media no, viewers send reports and checks alone, and are sent nothing but sender reports. Reports
the share of a core that the worker's thread takes. Exit status 1: something was lost."""
FIRST_PUBLISHER = IPv4Address("127.200.0.1")
MOST_VIEWERS = 50_000
LONGEST_S = 30
POOL_PACKETS = 16384
WARM_UP_US = 1_000_000
PACKET_US = 100_000
FEEDBACK_US = 100_000
REPORT_US = 1_000_000
CONSENT_US = 2_500_000  # as Chromium
PAYLOAD_BYTES = 100
FEEDBACK_SSRC = 1
NOTHING_LOST: ReportBlock = {
    "ssrc": 0,
    "fraction_lost": 0,
    "cumulative_lost": 0,
    "highest_seq": 0,
    "jitter_ticks": 20,
    "last_sr": 0,
    "delay_sr": 0,
}

Datagram = tuple[int, bytes, bytes]  # due in µs, source, bytes


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters of the measurement."""

    viewers: int = option(10_000, "how many")
    rooms: int = option(100, "they are spread over so many, each with a publisher of its own")
    profile: str = option("gcm128", "SRTP profile", PROFILES)
    backend: str = backend_option()
    media: str = option("yes", "whether the publishers send, and the viewers send feedback on that", ("yes", "no"))
    seconds: int = option(5, "how long time is taken, after a second to warm up")

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        if not 1 <= self.viewers <= MOST_VIEWERS:
            return f"--viewers goes from 1 to {MOST_VIEWERS}"
        if not 1 <= self.rooms <= self.viewers:
            return f"--rooms goes from 1 to the number of viewers, {self.viewers}"
        return None if 1 <= self.seconds <= LONGEST_S else f"--seconds goes from 1 to {LONGEST_S}"


@dataclass(frozen=True, slots=True)
class IdleFigures:
    """Counts include the first second, which is not in the CPU time."""

    machine: str
    options: Options
    backend_used: str
    core_share: float  # of one core, 0 to 1
    ns_per_datagram: float  # CPU time over what came in and went out
    packets_sent: int
    packets_expected: int
    feedback_taken: int
    feedback_sent: int
    checks_taken: int
    checks_sent: int
    load_late_ms: Percentiles  # how much later than due the load was sent

    @property
    def failed(self) -> bool:
        """Whether packets, feedback or checks were lost."""
        return (self.packets_sent, self.feedback_taken, self.checks_taken) != (
            self.packets_expected,
            self.feedback_sent,
            self.checks_sent,
        )

    def text(self) -> str:
        """The figures as text."""
        o = self.options
        rows: list[Row] = [
            ("share of a core", f"{self.core_share:.1%}", ""),
            ("CPU per datagram", f"{self.ns_per_datagram:.0f} ns", "in or out"),
            ("packets sent", f"{self.packets_sent}", f"of {self.packets_expected}"),
            ("RTCP taken", f"{self.feedback_taken}", f"of {self.feedback_sent}"),
            ("consent checks answered", f"{self.checks_taken}", f"of {self.checks_sent}"),
            ("load late, p50", f"{self.load_late_ms.p50:.2f} ms", f"p99 {self.load_late_ms.p99:.2f}"),
        ]
        head = f"{o.viewers} quiet viewers in {o.rooms} rooms for {o.seconds} s, {o.profile}, {self.backend_used}"
        return as_text(self.machine, head, rows)


class IdleRooms:
    """One worker with all the rooms. The peers share a socket, so that their load can be prepared beforehand."""

    def __init__(self, options: Options) -> None:
        self.options = options
        profile = PROFILES[options.profile]
        self.workers = Workers(1, POOL_PACKETS)
        self.sock = udp_socket("0.0.0.0")
        self.publishers = [Peer(FIRST_PUBLISHER + i, profile, self.sock) for i in range(options.rooms)]
        self.viewers = subscribers(options.viewers, profile, self.sock)
        [self.home] = self.workers.units
        producers = self._publish()
        transports = self.workers.connect(self.home, self.viewers)
        consumers = self.home.submit(
            AddConsumer(transport, consumer_spec(peer, Audio), secrets.randbelow(0x7FFE) + 1, 1, secrets.randbits(32))
            for peer, transport in zip(self.viewers, transports, strict=True)
        )
        self.viewers[0].read_no_more()  # they share a socket
        self.home.submit(
            BindConsumer(consumer, producers[i % options.rooms], formats=(0,)) for i, consumer in enumerate(consumers)
        )

    def close(self) -> None:
        self.workers.close()
        self.sock.close()

    def _publish(self) -> list[int]:
        transports = self.workers.connect(self.home, self.publishers)
        specs = [
            ProducerSpec(MID, Audio.kind, (Audio.format,), EXTENSIONS, (Encoding(ssrc=peer.ssrc),))
            for peer in self.publishers
        ]
        return self.home.submit(AddProducer(*each) for each in zip(transports, specs, strict=True))

    def load(self, until_us: int) -> list[Datagram]:
        """All datagrams of the peers until then, in order of time."""
        load: list[Datagram] = []
        media = self.options.media == "yes"
        for i, peer in enumerate(self.publishers):
            first_us = i * PACKET_US // len(self.publishers)
            load += _media(peer, first_us, until_us if media else first_us + 1)
        for i, peer in enumerate(self.viewers):
            load += _of_viewer(peer, i, len(self.viewers), until_us, feedback=media)
        return sorted(load, key=lambda datagram: datagram[0])


def _media(peer: Peer, first_us: int, until_us: int) -> Iterator[Datagram]:
    encrypter, stream = peer.encrypter(), Audio(peer.ssrc)
    for due_us in range(first_us, until_us, PACKET_US):
        [packet] = stream.next_frame([PAYLOAD_BYTES])
        yield due_us, peer.ip, encrypter.protect(packet)


def _of_viewer(peer: Peer, index: int, viewers: int, until_us: int, *, feedback: bool) -> Iterator[Datagram]:
    """Feedback for each packet, reports and consent checks, offset by the viewer's index."""
    encrypter, check = peer.encrypter(), peer.binding_request()
    for number, due_us in enumerate(range(index * FEEDBACK_US // viewers, until_us, FEEDBACK_US)):
        if feedback:
            arrivals = RtcpWriter()
            arrivals.twcc(FEEDBACK_SSRC, peer.ssrc, number & 0xFFFF, number & 0xFF, [due_us])
            yield due_us, peer.ip, encrypter.protect_rtcp(bytes(arrivals))
        if number % (REPORT_US // FEEDBACK_US) == index % (REPORT_US // FEEDBACK_US):
            report = RtcpWriter()
            report.rr(FEEDBACK_SSRC, [{**NOTHING_LOST, "ssrc": peer.ssrc, "highest_seq": number}])
            yield due_us, peer.ip, encrypter.protect_rtcp(bytes(report))
        if number % (CONSENT_US // FEEDBACK_US) == index % (CONSENT_US // FEEDBACK_US):
            yield due_us, peer.ip, check


def measure(options: Options, library: str) -> IdleFigures:
    """Takes about 20 seconds with 10 000 viewers, mostly to prepare the load."""
    until_us = WARM_UP_US + options.seconds * 1_000_000
    with closing(IdleRooms(options)) as rooms:
        datagrams = rooms.load(until_us)
        kinds = Counter(_kind(datagram) for _, _, datagram in datagrams)
        load = Replay(rooms.sock, rooms.home.address, datagrams)
        stay_aside()
        before = rooms.workers.counters()
        load.start()
        time.sleep(WARM_UP_US / 1e6)
        start, cpu, warm = time.monotonic(), rooms.workers.cpu(), rooms.workers.counters()
        time.sleep(options.seconds - 0.2)
        used, elapsed = rooms.workers.cpu().since(cpu).total_ns, time.monotonic() - start
        done = rooms.workers.counters()
        sent_ns = load.join()
        rooms.workers.settle()
        total = rooms.workers.counters()
    moved = sum(done[name] - warm[name] for name in ("udp_packets_in", "udp_packets_out"))
    total.subtract(before)
    first_us = datagrams[0][0]
    late = [
        (at - sent_ns[0]) / 1e6 - (due - first_us) / 1e3 for at, (due, _, _) in zip(sent_ns, datagrams, strict=True)
    ]
    return IdleFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        core_share=used / 1e9 / elapsed,
        ns_per_datagram=used / max(1, moved),
        packets_sent=total["rtp_out"] - total["udp_send_would_block"] - total["udp_send_refused"],
        packets_expected=_expected(options, until_us),
        feedback_taken=total["rtcp_in"],
        feedback_sent=kinds["rtcp"],
        checks_taken=total["stun_out"],
        checks_sent=kinds["stun"],
        load_late_ms=of_values(late),
    )


def _kind(datagram: bytes) -> str:
    """stun, rtcp or rtp, by the first bytes (RFC 7983, RFC 5761 section 4)."""
    if datagram[0] < 4:
        return "stun"
    return "rtcp" if 64 <= datagram[1] & 0x7F < 96 else "rtp"


def _expected(options: Options, until_us: int) -> int:
    """Packets to be sent to the viewers: each receives those of its room."""
    firsts = [room * PACKET_US // options.rooms for room in range(options.rooms)]
    packets = [len(range(first, until_us, PACKET_US)) if options.media == "yes" else 1 for first in firsts]
    return sum(packets[viewer % options.rooms] for viewer in range(options.viewers))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.idle", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
