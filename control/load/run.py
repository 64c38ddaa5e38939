"""Runs a load test, from the first join to the report."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import math
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ..config.options import MAX_WORKERS, MediaOptions
from ..media.calling import CallingEngine
from ..media.engine import EngineConfig
from ..session.certificate import Certificate
from ..session.ice import local_addresses
from ..startup import allow_open_files, binding
from .client import Client, ClientServices, JoinError
from .measure import Measure, Received, Sent
from .open_clip import open_clip
from .publisher import Publisher
from .report import Crowd, Report
from .source import Source
from .table import Table
from .target import Target
from .viewer import Viewer

_SHOW_EVERY_S = 1.0
_FIRST_KEYFRAME_S = 1.0  # publishers have sent a keyframe after this time, and viewers start with it
_HANDSHAKE_THREADS = 2
_LEAVERS = 100  # clients that leave at the same time
_HTTP_CONNECTIONS = 100
_CONNECT_TIMEOUT_S = 60.0
_POOL_PACKETS = 8192  # of each worker: received packets are never retransmitted


class OptionsError(ValueError):
    """The options contradict each other. The message says how to change them."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of a test; docs/load.md describes them."""

    url: str
    viewers: int
    publishers: int
    whip: str | None = None
    rate: float = 50.0
    duration_s: float = 30.0
    token: str | None = None
    workers: int = 1
    source: str = "0.0.0.0"
    publish_file: Path | None = None
    json: Path | None = None

    def check(self) -> None:
        """Raises OptionsError."""
        if self.viewers < 0 or self.publishers < 0 or self.viewers + self.publishers == 0:
            raise OptionsError("--viewers and --publishers: at least one must be above 0")
        if self.rate <= 0 or self.duration_s <= 0 or not 1 <= self.workers <= MAX_WORKERS:
            raise OptionsError(f"--rate and --duration must be above 0, --workers from 1 to {MAX_WORKERS}")
        for url in (self.url, self.whip):
            if url is not None and not url.startswith(("http://", "https://")):
                raise OptionsError(f"{url}: the URL must begin with http:// or https://")
        try:
            ipaddress.ip_address(self.source)
        except ValueError:
            raise OptionsError(f"--source: {self.source} is not an IP address") from None
        if self.publishers and self.whip is None and "/whep/" not in self.url:
            raise OptionsError("--publishers needs --whip URL, because the URL of the viewers has no /whep/ to replace")
        if self.publishers > 1 and "{n}" not in (self.whip or self.url):
            raise OptionsError("--publishers above 1 needs {n} in the URL, so that each has a room: .../whep/room-{n}")

    def watch_url(self, viewer: int) -> str:
        """The URL of a viewer. Viewers are spread evenly over the rooms."""
        return self.url.replace("{n}", str(viewer % max(1, self.publishers)))

    def publish_url(self, publisher: int) -> str:
        """The URL of a publisher."""
        return (self.whip or self.url.replace("/whep/", "/whip/")).replace("{n}", str(publisher))


async def run_load(options: LoadOptions) -> int:
    """Run a test and print its progress. Returns 0 if every client joined, else 1. Raises OptionsError, ClipError."""
    options.check()
    clip = open_clip(options.publish_file) if options.publishers else None
    async with _services(options) as services:
        source = await Source.add(services.engine, clip) if clip else None
        test = LoadTest(options, services, source)
        report = await test.run()
    print("\n".join(report.lines()))
    if options.json is not None:
        options.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.everybody_joined else 1


@contextlib.asynccontextmanager
async def _services(options: LoadOptions) -> AsyncIterator[ClientServices]:
    clients = options.viewers + options.publishers
    files = allow_open_files()
    if clients + 200 > files:
        raise OptionsError(f"{clients} clients need more open files than the {files} allowed (ulimit -n)")
    config = EngineConfig(
        udp=[[(options.source, 0)]] * options.workers,
        ports_per_worker=math.ceil(clients / options.workers),
        ports_host=options.source,
        options=MediaOptions(packets_per_worker=_POOL_PACKETS, connect_timeout_s=_CONNECT_TIMEOUT_S),
    )
    wildcard = options.source in ("0.0.0.0", "::")
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(_HANDSHAKE_THREADS, "fanwire-dtls"))
        with binding("--source", options.source):
            engine = await stack.enter_async_context(CallingEngine(config))
        connector = aiohttp.TCPConnector(limit=_HTTP_CONNECTIONS)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        hosts = local_addresses(loopback=True) if wildcard else [options.source]
        yield ClientServices(engine, Certificate.generate(), executor, Target(http, options.token), hosts)


class LoadTest:
    """Joins all clients at the given rate, keeps them for the given time, and ends their sessions."""

    def __init__(self, options: LoadOptions, services: ClientServices, source: Source | None) -> None:
        self._options = options
        self._services = services
        self._source = source
        self._measure = Measure()
        self._viewers = [Viewer(services, options.watch_url(i)) for i in range(options.viewers)]
        feeds = source.producers if source else {}
        self._publishers = [Publisher(services, options.publish_url(i), feeds) for i in range(options.publishers)]
        self._viewer_crowd = Crowd(options.viewers)
        self._publisher_crowd = Crowd(options.publishers)

    async def run(self) -> Report:
        """Run the test. The first SIGINT ends it early, with a report; the second one kills the process."""
        interrupted = _interruption()
        start_s = time.monotonic()
        background = [self._measure.run(), self._show()] + ([self._source.run()] if self._source else [])
        tasks = [asyncio.create_task(work) for work in background]
        joining = asyncio.create_task(self._join_all())
        try:
            await _first([joining, interrupted, *tasks])
            if self._measure.clients:
                await _first([interrupted, *tasks], timeout_s=self._options.duration_s)
            await self._measure.read_all()
            return self._report(time.monotonic() - start_s)
        finally:
            for task in (joining, *tasks):
                task.cancel()
            await asyncio.gather(joining, *tasks, return_exceptions=True)
            await self._leave_all()

    async def _join_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            await self._join_crowd(group, self._publishers, self._publisher_crowd)
        if self._publishers:
            await asyncio.sleep(_FIRST_KEYFRAME_S)
        async with asyncio.TaskGroup() as group:
            await self._join_crowd(group, self._viewers, self._viewer_crowd)

    async def _join_crowd(self, group: asyncio.TaskGroup, clients: Sequence[Client], crowd: Crowd) -> None:
        start_s = time.monotonic()
        for index, client in enumerate(clients):
            await asyncio.sleep(max(0.0, start_s + index / self._options.rate - time.monotonic()))
            group.create_task(self._join_one(client, crowd))

    async def _join_one(self, client: Client, crowd: Crowd) -> None:
        try:
            await client.join()
        except JoinError as error:
            crowd.failed[str(error)] += 1
            return
        assert client.join_s is not None
        crowd.join_s.append(client.join_s)
        self._measure.clients.append(client)

    async def _leave_all(self) -> None:
        slots = asyncio.Semaphore(_LEAVERS)

        async def leave(going: Coroutine[None, None, None]) -> None:
            async with slots:
                await going

        await asyncio.gather(*(leave(client.leave()) for client in (*self._viewers, *self._publishers)))

    async def _show(self) -> None:
        table = Table()
        try:
            while True:
                await asyncio.sleep(_SHOW_EVERY_S)
                wire = self._wire("udp_packets_in"), self._wire("udp_bytes_in")
                latencies_s = self._measure.latencies_s
                table.show(self._viewer_crowd, self._publisher_crowd, self._received(), wire, latencies_s)
        finally:
            table.close()

    def _received(self) -> Received:
        received = Received()
        for statistics in self._measure.latest(self._viewers):
            received.add(statistics)
        return received

    def _wire(self, name: str) -> int:
        return sum(numbers.counters[name] for numbers in self._services.engine.counters())

    def _drops(self) -> Mapping[str, int]:
        found: Counter[str] = Counter()
        for numbers in self._services.engine.counters():
            found.update({name: count for name, count in numbers.counters.items() if count and _is_drop(name)})
        return found

    def _report(self, duration_s: float) -> Report:
        sent = Sent()
        for statistics in self._measure.latest(self._publishers):
            sent.add(statistics)
        for crowd, clients in ((self._viewer_crowd, self._viewers), (self._publisher_crowd, self._publishers)):
            crowd.ended.update(client.ended for client in clients if client.join_s is not None and client.ended)
        return Report(
            url=self._options.url,
            duration_s=duration_s,
            viewers=self._viewer_crowd,
            publishers=self._publisher_crowd,
            received=self._received(),
            sent=sent,
            latencies_s=self._measure.latencies_s,
            drops=self._drops(),
        )


def _is_drop(counter: str) -> bool:
    return counter.startswith("drop_") or counter == "udp_receive_overflow"


def _interruption() -> asyncio.Future[None]:
    """A future that the first SIGINT completes. A second SIGINT has its default effect."""
    loop = asyncio.get_running_loop()
    interrupted: asyncio.Future[None] = loop.create_future()

    def interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        interrupted.set_result(None)

    loop.add_signal_handler(signal.SIGINT, interrupt)
    return interrupted


async def _first(waited: Sequence[asyncio.Future[None]], timeout_s: float | None = None) -> None:
    """Wait until one is done, for at most `timeout_s`. Raises the exception of one that failed."""
    done, _ = await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()
