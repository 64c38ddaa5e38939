"""Measures the whole server with real WHEP viewers: `python -m bench.viewers --help`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ci.support.crowd_media import FRAMES_PER_S
from ci.support.crowd_peers import Viewer
from ci.support.crowd_server import Footprint, counters

from .command import option, run
from .newcomers import Newcomers, join_flowing, newcomers, timed
from .percentiles import Percentiles
from .printing import Row, as_text
from .usage import allow_files, machine
from .whep import CALM_S, MOST_BURST, MOST_VIEWERS, latency_while, publish, server_and_crowd

DESCRIPTION = """Runs `fanwire serve` with one worker on the first core. Real viewers (HTTP, ICE, DTLS) join from
the last one while video flows, and are sent that by WHIP in bursts, 30 a second. The viewers renew consent and read
nothing, but some that show how far behind newcomers are. CPU time and memory are those of the server's process, all
threads. Exit status 1: packets were lost."""
MOST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters of the measurement."""

    viewers: int = option(200, "how many")
    burst: int = option(10, "packets at once")
    seconds: int = option(10, "how long time is taken")
    settle: int = option(2, "seconds until memory and time are read; 0: and no warm-up, so that they say little")
    backend: str = option("auto", "what encrypts: the server's own choice", ("auto",))

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        if not 1 <= self.viewers <= MOST_VIEWERS:
            return f"--viewers goes from 1 to {MOST_VIEWERS}"
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
    newcomers: Newcomers  # as the viewers joined
    kb_per_viewer: float  # growth of its resident memory

    @property
    def failed(self) -> bool:
        """Packets were lost."""
        return self.packets_sent != self.packets_expected

    def text(self) -> str:
        """The figures as text."""
        o, new = self.options, self.newcomers
        rows: list[Row] = [
            ("CPU per forwarded packet", f"{self.cpu_us_per_packet:.2f} us", "the whole process"),
            ("share of a core", f"{self.core_share:.1%}", ""),
            ("packets per second", f"{self.packets_per_second:.0f}", ""),
            ("packets per message", f"{self.packets_per_message:.2f}", ""),
            ("packets sent", f"{self.packets_sent}", f"of {self.packets_expected}"),
            ("latency, p50", f"{self.latency_ms.p50:.2f} ms", f"p99 {self.latency_ms.p99:.2f}"),
            ("newcomers start behind, p50", f"{new.first_lag_ms.p50:.0f} ms", f"p99 {new.first_lag_ms.p99:.0f}"),
            ("newcomers live after, p50", f"{new.live_s.p50:.2f} s", f"largest {new.live_s.largest:.2f}"),
            ("memory per viewer", f"{self.kb_per_viewer:.1f} kB", "growth of the process"),
        ]
        head = f"{o.viewers} WHEP viewers, bursts of {o.burst}, {FRAMES_PER_S} a second for {o.seconds} s"
        return as_text(self.machine, f"{head}, {self.backend_used}", rows)


async def measure_server(options: Options, library: str) -> ViewersFigures:
    """Takes some 20 seconds, and more to join thousands."""
    async with server_and_crowd(options.viewers, warm=options.settle > 0) as (server, crowd):
        publisher = await publish(crowd, server.whip("room"), options.burst, max(CALM_S, options.settle / 2))
        empty = Footprint.of(server.pid)
        publisher.start()
        await join_flowing(crowd, server.whep("room"), options.viewers, 0)
        await publisher.stop()
        joined = newcomers(publisher, timed(crowd))
        viewers = [client for client in crowd.clients if isinstance(client, Viewer)]
        publisher.start()
        await asyncio.sleep(options.settle)
        await publisher.stop()
        await asyncio.sleep(CALM_S)
        published, used, before = publisher.video.packets, Footprint.of(server.pid), await counters(server.url)
        latency = await latency_while(publisher, viewers, asyncio.sleep(options.seconds))
        published = publisher.video.packets - published
        now, counted = Footprint.of(server.pid), await counters(server.url)
        counted.subtract(before)
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
        newcomers=joined,
        kb_per_viewer=(now.resident_bytes - empty.resident_bytes) / 1000 / options.viewers,
    )


def measure(options: Options, library: str) -> ViewersFigures:
    """Takes some 20 seconds, and more to join thousands."""
    allow_files(options.viewers)
    with contextlib.redirect_stdout(sys.stderr):  # where the server's log goes
        return asyncio.run(measure_server(options, library))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.viewers", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
