"""Measures the whole server with real WHEP viewers: `python -m bench.viewers --help`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.crowd import Crowd, warm_up
from tests.support.crowd_media import FRAMES_PER_S, MAX_PAYLOAD_BYTES
from tests.support.crowd_peers import Publisher, Viewer
from tests.support.crowd_server import Footprint, counters
from tests.support.server import Server
from tests.support.waiting import until

from .command import option, run
from .peers import UDP_SEGMENT, is_rtp
from .percentiles import Percentiles, of_values
from .printing import Row, as_text
from .samples import RECEIVE_BUFFER_BYTES, RTP_HEADER_BYTES, Sample, lateness_ms, spread
from .usage import allow_files, machine, stay_aside

DESCRIPTION = """Runs `fanwire serve` with one worker on the first core, joins real viewers (HTTP, ICE, DTLS) from the
last one, and sends them video by WHIP in bursts, 30 a second. The viewers renew consent and read nothing. CPU time and
memory are those of the server's process, all threads. Exit status 1: packets were lost."""
SERVER_OPTIONS = ("--log-level=warning", "--joins-per-s=100000", "--packets-per-worker=4096")
MOST_VIEWERS = 10_000
MOST_BURST = 40
MOST_SECONDS = 60
SAMPLED = 10
READ_EVERY_S = 0.02
CALM_S = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure."""

    viewers: int = option(200, "how many")
    burst: int = option(10, "packets at once")
    seconds: int = option(10, "how long time is taken")
    storm: int = option(0, "viewers that then join another room all at once, while media flows")
    settle: int = option(2, "seconds until memory and time are read; 0: and no warm-up, so that they say little")
    backend: str = option("auto", "what encrypts: the server's own choice", ("auto",))

    def problem(self) -> str | None:
        """Why this cannot be measured, in words for the user, or None."""
        if not 1 <= self.viewers <= MOST_VIEWERS:
            return f"--viewers goes from 1 to {MOST_VIEWERS}"
        if not 0 <= self.storm <= MOST_VIEWERS:
            return f"--storm goes from 0 to {MOST_VIEWERS}"
        if not 1 <= self.burst <= MOST_BURST:
            return f"--burst goes from 1 to {MOST_BURST}"
        if not 0 <= self.settle <= MOST_SECONDS:
            return f"--settle goes from 0 to {MOST_SECONDS}"
        return None if 1 <= self.seconds <= MOST_SECONDS else f"--seconds goes from 1 to {MOST_SECONDS}"


@dataclass(frozen=True, slots=True)
class ViewersFigures:
    """Of the server's process."""

    machine: str
    options: Options
    backend_used: str
    cpu_us_per_packet: float  # forwarded
    core_share: float  # of one core, 0 to 1
    packets_per_second: float
    packets_sent: int
    packets_expected: int
    packets_per_message: float  # in one GSO message
    latency_ms: Percentiles  # from the publisher's system call until the packet is in a viewer's socket
    storm_latency_ms: Percentiles | None  # the same while the storm joins, if there is one
    kb_per_viewer: float  # growth of its resident memory
    join_cpu_ms_per_viewer: float
    join_s: float  # all of them, as fast as the clients can

    @property
    def failed(self) -> bool:
        """Packets were lost."""
        return self.packets_sent != self.packets_expected

    def text(self) -> str:
        """For people."""
        o = self.options
        rows: list[Row] = [
            ("CPU per forwarded packet", f"{self.cpu_us_per_packet:.2f} us", "the whole process"),
            ("share of a core", f"{self.core_share:.1%}", ""),
            ("packets per second", f"{self.packets_per_second:.0f}", ""),
            ("packets per message", f"{self.packets_per_message:.2f}", ""),
            ("packets sent", f"{self.packets_sent}", f"of {self.packets_expected}"),
            ("latency, p50", f"{self.latency_ms.p50:.2f} ms", f"p99 {self.latency_ms.p99:.2f}"),
            ("memory per viewer", f"{self.kb_per_viewer:.1f} kB", "growth of the process"),
            ("CPU per join", f"{self.join_cpu_ms_per_viewer:.2f} ms", f"all joined in {self.join_s:.1f} s"),
        ]
        if storm := self.storm_latency_ms:
            rows.append(("latency in the storm, p50", f"{storm.p50:.2f} ms", f"p99 {storm.p99:.2f}, {o.storm} joining"))
        head = f"{o.viewers} WHEP viewers, bursts of {o.burst}, {FRAMES_PER_S} a second for {o.seconds} s"
        return as_text(self.machine, f"{head}, {self.backend_used}", rows)


class BurstPublisher(Publisher):
    """Sends video alone, each frame in one system call, and remembers when."""

    sent_ns: list[int]  # CLOCK_REALTIME, of each packet since the last start

    def start(self) -> None:
        self.sent_ns = []
        self._sending = [asyncio.create_task(self._send_bursts()), asyncio.create_task(self._send_reports())]

    async def _send_bursts(self) -> None:
        assert self._protector is not None
        due = time.monotonic()
        while True:
            packets: list[bytes] = []
            for payload, marker in self.video.frame():
                packet = self.video.packet(payload, marker=marker, transport_cc=self._transport_cc)
                packets.append(self._protector.protect(packet))
                self._transport_cc += 1
            segment = struct.pack("=H", len(packets[0]))
            self.sent_ns += [time.time_ns()] * len(packets)
            self.sock.sendmsg([b"".join(packets)], [(socket.SOL_UDP, UDP_SEGMENT, segment)])
            due = max(due + 1 / FRAMES_PER_S, time.monotonic())  # what is late is not made up for
            await asyncio.sleep(due - time.monotonic())


async def measure_server(options: Options, library: str) -> ViewersFigures:
    """Takes some 20 seconds, and more to join thousands."""
    stay_aside()
    async with Server(*SERVER_OPTIONS) as server, Crowd(options.viewers + options.storm + 4) as crowd:
        _keep_on_first_core(server.pid)
        if options.settle:
            await warm_up(server.whip("warm"), server.whep("warm"), workers=1)
        publisher = await _publish(crowd, server.whip("room"), options)
        await _publish(crowd, server.whip("storm"), options)
        empty, started = Footprint.of(server.pid), time.monotonic()
        viewers = await crowd.watch(server.whep("room"), options.viewers)
        join_s = time.monotonic() - started
        publisher.start()
        await until(lambda: _without_media(viewers), lambda without: without == 0, timeout_s=10)
        await publisher.stop()
        joined = Footprint.of(server.pid)
        for viewer in viewers:
            viewer.rest()
        publisher.start()
        await asyncio.sleep(options.settle)
        await publisher.stop()
        await asyncio.sleep(CALM_S)
        published, used, before = publisher.video.packets, Footprint.of(server.pid), await counters(server.url)
        latency = await _latency(publisher, viewers, asyncio.sleep(options.seconds))
        published, now, counted = (
            publisher.video.packets - published,
            Footprint.of(server.pid),
            await counters(server.url),
        )
        counted.subtract(before)
        storm_latency = None
        if options.storm:
            storm = crowd.watch(server.whep("storm"), options.storm, at_once=options.storm)
            storm_latency = await _latency(publisher, viewers, storm)
    sent = counted["rtp_out"] - counted["udp_send_would_block"] - counted["udp_send_refused"]
    cpu_s = now.cpu_s - used.cpu_s
    return ViewersFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        cpu_us_per_packet=cpu_s * 1e6 / max(1, sent),
        core_share=cpu_s / options.seconds,
        packets_per_second=sent / options.seconds,
        packets_sent=sent,
        packets_expected=published * options.viewers,
        packets_per_message=counted["udp_packets_out"] / max(1, counted["udp_messages_out"]),
        latency_ms=latency,
        storm_latency_ms=storm_latency,
        kb_per_viewer=(now.resident_bytes - empty.resident_bytes) / 1000 / options.viewers,
        join_cpu_ms_per_viewer=(joined.cpu_s - empty.cpu_s) * 1000 / options.viewers,
        join_s=join_s,
    )


async def _publish(crowd: Crowd, url: str, options: Options) -> BurstPublisher:
    """One that has shown that it can, and is silent."""
    rate_bps = options.burst * MAX_PAYLOAD_BYTES * 8 * FRAMES_PER_S
    publisher = await crowd.publish(url, rate_bps=rate_bps, kind=BurstPublisher)
    assert isinstance(publisher, BurstPublisher)
    await asyncio.sleep(max(CALM_S, options.settle / 2))
    await publisher.stop()
    return publisher


async def _latency(
    publisher: BurstPublisher, viewers: Sequence[Viewer], doing: Coroutine[None, None, object]
) -> Percentiles:
    """How late media is, in ms, while something is done."""
    samples = await _samples(publisher, viewers)
    publisher.start()
    await _read_while(doing, samples)
    await publisher.stop()
    await asyncio.sleep(CALM_S)
    for sample in samples:
        sample.read()
    return of_values(lateness_ms(samples, publisher.sent_ns))


async def _samples(publisher: BurstPublisher, viewers: Sequence[Viewer]) -> list[Sample]:
    """Some of the viewers, who will know when what the publisher sends from now on arrived."""
    await asyncio.sleep(CALM_S)
    socks = [viewers[i].sock for i in spread(len(viewers), SAMPLED)]
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        _last_seq16(sock)
    publisher.start()
    await asyncio.sleep(CALM_S)
    await publisher.stop()
    await asyncio.sleep(CALM_S)
    return [Sample(sock, _last_seq16(sock) + 1 & 0xFFFF) for sock in socks]


def _last_seq16(sock: socket.socket) -> int:
    """Reads all that waits. The sequence number of the last RTP packet, which is not encrypted; 0 without any."""
    last = 0
    while True:
        try:
            data = sock.recv(RTP_HEADER_BYTES)
        except BlockingIOError:
            return last
        if is_rtp(data):
            last = int.from_bytes(data[2:4], "big")


async def _read_while(doing: Coroutine[None, None, object], samples: Sequence[Sample]) -> None:
    """Reads the samples until it is done."""
    task = asyncio.create_task(doing)
    while not task.done():
        await asyncio.wait([task], timeout=READ_EVERY_S)
        for sample in samples:
            sample.read()
    await task


async def _without_media(viewers: Sequence[Viewer]) -> int:
    return sum(viewer.media == 0 for viewer in viewers)


def _keep_on_first_core(pid: int) -> None:
    """The process with all its threads, those to come included."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {min(os.sched_getaffinity(pid))})


def measure(options: Options, library: str) -> ViewersFigures:
    """Takes some 20 seconds, and more to join thousands."""
    allow_files(options.viewers + options.storm)
    with contextlib.redirect_stdout(sys.stderr):  # where the server's log goes
        return asyncio.run(measure_server(options, library))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.viewers", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
