"""Measures what a viewer's join costs the server, and those who watch meanwhile: `python -m bench.joins --help`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ci.support.crowd_server import Footprint

from .command import option, run
from .percentiles import Percentiles
from .printing import Row, as_text
from .usage import allow_files, machine
from .whep import MOST_BURST, MOST_VIEWERS, first_media, latency_while, publish, server_and_crowd

DESCRIPTION = """Runs `fanwire serve` with one worker on the first core. Once some watch, viewers join from the last
core (HTTP, SDP, ICE, DTLS), 16 at a time while no media flows, and get their first packets; the CPU time that is told
is what the server's process took for that, all threads. Then those who watch are sent video in bursts, 30 a second,
while others join another room, all at once."""
CALM_SECONDS = 3
# Nobody is sent what was published before: that is media, not joining.
SERVER_OPTIONS = ("--instant-join-s=0",)


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure."""

    joins: int = option(500, "viewers whose joins are measured")
    storm: int = option(1000, "viewers that then join all at once, while others watch")
    viewers: int = option(200, "those others, who joined first")
    burst: int = option(4, "packets at once, of that media")
    backend: str = option("auto", "what encrypts: the server's own choice", ("auto",))

    def problem(self) -> str | None:
        """Why this cannot be measured, in words for the user, or None."""
        for name in ("joins", "storm", "viewers"):
            if not 1 <= getattr(self, name) <= MOST_VIEWERS:
                return f"--{name} goes from 1 to {MOST_VIEWERS}"
        return None if 1 <= self.burst <= MOST_BURST else f"--burst goes from 1 to {MOST_BURST}"


@dataclass(frozen=True, slots=True)
class JoinsFigures:
    """Of the server's process."""

    machine: str
    options: Options
    backend_used: str
    cpu_ms_per_join: float  # with the first packets
    join_s: float  # all of them, as fast as the clients can
    latency_ms: Percentiles  # from the publisher's system call until the packet is in a viewer's socket
    storm_latency_ms: Percentiles  # the same while the storm joins
    storm_s: float  # until all of it has joined

    @property
    def failed(self) -> bool:
        """Never: whoever cannot join ends the measurement."""
        return False

    def text(self) -> str:
        """For people."""
        o, calm, storm = self.options, self.latency_ms, self.storm_latency_ms
        rows: list[Row] = [
            ("CPU per join", f"{self.cpu_ms_per_join:.2f} ms", "the whole process"),
            ("all joined in", f"{self.join_s:.2f} s", f"{o.joins / self.join_s:.0f} a second"),
            ("latency, p50", f"{calm.p50:.2f} ms", f"p99 {calm.p99:.2f}"),
            ("latency in the storm, p50", f"{storm.p50:.2f} ms", f"p99 {storm.p99:.2f}"),
            ("the storm joined in", f"{self.storm_s:.2f} s", f"{o.storm / self.storm_s:.0f} a second"),
        ]
        head = f"{o.joins} WHEP viewers join; {o.storm} more at once, while {o.viewers} watch bursts of {o.burst}"
        return as_text(self.machine, f"{head}, {self.backend_used}", rows)


async def measure_joins(options: Options, library: str) -> JoinsFigures:
    """Takes some ten seconds."""
    clients = options.joins + options.storm + options.viewers
    async with server_and_crowd(clients, *SERVER_OPTIONS, warm=True) as (server, crowd):
        watched = await publish(crowd, server.whip("watched"), options.burst)
        joined = await publish(crowd, server.whip("joined"), options.burst)
        await publish(crowd, server.whip("stormed"), options.burst)
        viewers = await crowd.watch(server.whep("watched"), options.viewers)
        await first_media(watched, viewers)
        before, started = Footprint.of(server.pid), time.monotonic()
        newcomers = await crowd.watch(server.whep("joined"), options.joins)
        join_s = time.monotonic() - started
        await first_media(joined, newcomers)
        after = Footprint.of(server.pid)
        calm = await latency_while(watched, viewers, asyncio.sleep(CALM_SECONDS))
        started = time.monotonic()
        storm = crowd.watch(server.whep("stormed"), options.storm, at_once=options.storm)
        storm_latency = await latency_while(watched, viewers, storm)
        storm_s = time.monotonic() - started
    return JoinsFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        cpu_ms_per_join=(after.cpu_s - before.cpu_s) * 1000 / options.joins,
        join_s=join_s,
        latency_ms=calm,
        storm_latency_ms=storm_latency,
        storm_s=storm_s,
    )


def measure(options: Options, library: str) -> JoinsFigures:
    """Takes some ten seconds."""
    allow_files(options.joins + options.storm + options.viewers)
    with contextlib.redirect_stdout(sys.stderr):  # where the server's log goes
        return asyncio.run(measure_joins(options, library))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.joins", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
