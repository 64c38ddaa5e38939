"""Measures what a viewer's join costs the server, and those who watch meanwhile: `python -m bench.joins --help`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ci.support.crowd_server import Footprint, counters

from .command import option, run
from .newcomers import Newcomers, join_flowing, newcomers, timed
from .percentiles import Percentiles
from .printing import Row, as_text
from .usage import allow_files, machine
from .whep import MOST_BURST, MOST_VIEWERS, first_media, latency_while, publish, server_and_crowd

DESCRIPTION = """Runs `fanwire serve` with one worker on the first core. Once some watch, viewers join from the last
core (HTTP, SDP, ICE, DTLS), 16 at a time while no media flows, and get their first packets; the CPU time that is told
is what the server's process took for that, all threads. Then those who watch are sent video in bursts, 30 a second,
while others join another room, all at once.

Last, a crowd joins a stream that flows (30 bursts a second, a keyframe every 2 s) spread over some seconds, once with
fast start and once with --instant-join-s=0: reports how late media is for the viewers already there, and for newcomers
how far behind the live edge they start, and when they are less than 100 ms behind for good."""
GOP_FRAMES = 60
CALM_SECONDS = 3
MOST_CROWD_S = 60
# Nobody is sent what was published before: that is media, not joining.
SERVER_OPTIONS = ("--instant-join-s=0",)


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a measurement."""

    joins: int = option(500, "viewers whose joins are measured")
    storm: int = option(1000, "viewers that then join all at once, while others watch")
    viewers: int = option(200, "those others, who joined first")
    burst: int = option(4, "packets at once, of that media")
    crowd: int = option(2000, "viewers that join while media flows")
    crowd_s: int = option(10, "seconds over which they come")
    crowd_burst: int = option(10, "packets at once, of that media")
    backend: str = option("auto", "what encrypts: the server's own choice", ("auto",))

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        for name in ("joins", "storm", "viewers", "crowd"):
            if not 1 <= getattr(self, name) <= MOST_VIEWERS:
                return f"--{name} goes from 1 to {MOST_VIEWERS}"
        if not 1 <= self.crowd_s <= MOST_CROWD_S:
            return f"--crowd-s goes from 1 to {MOST_CROWD_S}"
        if not 1 <= self.crowd_burst <= MOST_BURST:
            return f"--crowd-burst goes from 1 to {MOST_BURST}"
        return None if 1 <= self.burst <= MOST_BURST else f"--burst goes from 1 to {MOST_BURST}"


@dataclass(frozen=True, slots=True)
class Flowing:
    """A crowd that joined while media flowed."""

    latency_ms: Percentiles  # for the viewers already there
    newcomers: Newcomers
    packets_refused: int  # by the kernel, of those that the server sent


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
    fast_start: Flowing
    without: Flowing  # the same with --instant-join-s=0
    p99_ratio: float  # of the latencies of these two

    @property
    def failed(self) -> bool:
        """Never: a viewer that cannot join ends the measurement."""
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
            *_flowing_rows("fast start", self.fast_start),
            *_flowing_rows("without", self.without),
            ("p99 with fast start to that without", f"{self.p99_ratio:.2f}", "of viewers already there"),
        ]
        head = f"{o.joins} WHEP viewers join; {o.storm} more at once, while {o.viewers} watch bursts of {o.burst}"
        return as_text(self.machine, f"{head}, {self.backend_used}", rows)


def _flowing_rows(name: str, flowing: Flowing) -> list[Row]:
    latency, new = flowing.latency_ms, flowing.newcomers
    lost = f"{new.lost} packets lost, {flowing.packets_refused} refused by the kernel"
    return [
        (f"{name}: latency, p50", f"{latency.p50:.2f} ms", f"p99 {latency.p99:.2f}"),
        (f"{name}: newcomers start behind, p50", f"{new.first_lag_ms.p50:.0f} ms", f"p99 {new.first_lag_ms.p99:.0f}"),
        (f"{name}: newcomers live after, p50", f"{new.live_s.p50:.2f} s", f"largest {new.live_s.largest:.2f}"),
        (f"{name}: furthest behind the start", f"{new.most_growth_ms:.0f} ms", lost),
    ]


async def measure_flowing(options: Options, *server_options: str) -> Flowing:
    """Takes some fifteen seconds more than the crowd does to come."""
    async with server_and_crowd(options.crowd + options.viewers, *server_options, warm=True) as (server, crowd):
        url = server.whep("flowing")
        publisher = await publish(crowd, server.whip("flowing"), options.crowd_burst, gop_frames=GOP_FRAMES)
        viewers = await crowd.watch(url, options.viewers)
        await first_media(publisher, viewers)
        before = await counters(server.url)
        latency = await latency_while(publisher, viewers, join_flowing(crowd, url, options.crowd, options.crowd_s))
        counted = await counters(server.url)
        counted.subtract(before)
        refused = counted["udp_send_would_block"] + counted["udp_send_refused"]
        return Flowing(latency, newcomers(publisher, timed(crowd)), refused)


async def measure_joins(options: Options, library: str) -> JoinsFigures:
    """Takes some minute."""
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
    fast_start = await measure_flowing(options)
    without = await measure_flowing(options, "--instant-join-s=0")
    return JoinsFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        cpu_ms_per_join=(after.cpu_s - before.cpu_s) * 1000 / options.joins,
        join_s=join_s,
        latency_ms=calm,
        storm_latency_ms=storm_latency,
        storm_s=storm_s,
        fast_start=fast_start,
        without=without,
        p99_ratio=fast_start.latency_ms.p99 / without.latency_ms.p99,
    )


def measure(options: Options, library: str) -> JoinsFigures:
    """Takes some minute."""
    allow_files(max(options.joins + options.storm, options.crowd) + options.viewers)
    with contextlib.redirect_stdout(sys.stderr):  # where the server's log goes
        return asyncio.run(measure_joins(options, library))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.joins", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
