"""Hundreds of light clients in one process: a thread without the GIL reads all their sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import aiohttp
import pylibsrtp

from fanwire.control.session.certificate import Certificate
from fanwire.fastpath.testing.packet_counter import PacketCounter

from .crowd_client import Client, Sent, Services, ignore
from .crowd_hostile import dtls_record
from .crowd_peers import Publisher, Viewer
from .published import wait_until_open

_HANDSHAKE_THREADS = 2
_CONSENT_S = 4.0
_SWEEP_S = 0.1


class Crowd:
    """Publishers and viewers, each with an address of its own under 127.1.0.0/16. They choose their server.

    `clients` are all clients that ever joined; their sockets are read until the crowd is closed, also after they leave.
    `token` is sent with every request. `problems` lists unexpected packets and must be empty.
    """

    def __init__(self, capacity: int = 1024, *, token: str | None = None) -> None:
        self.clients: list[Client] = []
        self.problems: list[str] = []
        self._counter = PacketCounter(capacity)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            executor = stack.enter_context(ThreadPoolExecutor(_HANDSHAKE_THREADS, "crowd-dtls"))
            connector = aiohttp.TCPConnector(limit=32)
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, headers=self._headers))
            self._services = Services(stack.enter_context(self._counter), http, executor, Certificate.generate())
            loop.add_reader(self._counter.fileno(), self._read)
            stack.callback(loop.remove_reader, self._counter.fileno())
            consent = asyncio.create_task(self._keep_consent())
            stack.callback(consent.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        async with self._stack:
            if error is None:
                await self.leave()
                assert self._counter.lost == 0, "the test could not keep up with its own clients"
                assert self.problems == []

    async def publish(
        self,
        url: str,
        *,
        rate_bps: int,
        gop_frames: int | None = None,
        sent: Sent = ignore,
        kind: type[Publisher] = Publisher,
    ) -> Publisher:
        """Starts a publisher and waits until its media has reached the server."""
        publisher = kind(self._services, self._next_address(), rate_bps=rate_bps, gop_frames=gop_frames, sent=sent)
        self.clients.append(publisher)
        await publisher.publish(url)
        await wait_until_open(self._services.http, url)
        return publisher

    async def watch(
        self,
        url: str,
        count: int,
        *,
        checking: int = 0,
        at_once: int = 16,
        over_s: float = 0,
        sent: Sent = ignore,
        kind: type[Viewer] = Viewer,
    ) -> list[Viewer]:
        """Connects `count` viewers; the first `checking` of them check every packet.

        Their joins are spread over `over_s` seconds, at most `at_once` at a time.
        """
        viewers = [kind(self._services, self._next_address(i), checks=i < checking, sent=sent) for i in range(count)]
        self.clients += viewers
        turns = asyncio.Semaphore(at_once)

        async def watch(viewer: Viewer, wait_s: float) -> None:
            await asyncio.sleep(wait_s)
            async with turns:
                await viewer.watch(url)

        async with asyncio.TaskGroup() as group:
            for i, viewer in enumerate(viewers):
                group.create_task(watch(viewer, i * over_s / count))
        return viewers

    async def leave(self, at_once: int = 16) -> None:
        """Ends all sessions."""
        turns = asyncio.Semaphore(at_once)

        async def leave(client: Client) -> None:
            async with turns:
                await client.leave()

        async with asyncio.TaskGroup() as group:
            for client in self.clients:
                group.create_task(leave(client))

    def received(self) -> Counter[str]:
        """Sums the tallies of all sockets, and counts `breaks` in the numbering."""
        total: Counter[str] = Counter()
        for client in self.clients:
            tally = client.tally
            for name in ("packets", "bytes", "rtp", "rtcp", "stun", "dtls", "unknown", "overflow", "strays"):
                total[name] += tally[name]
            total["breaks"] += sum(breaks for _, breaks in tally["streams"].values())
        return total

    def _next_address(self, ahead: int = 0) -> str:
        number = len(self.clients) + ahead
        return f"127.1.{number // 250}.{number % 250 + 1}"

    def _read(self) -> None:
        for index, data in self._counter.read():
            try:
                self.clients[index].on_datagram(data)
            except (AssertionError, ValueError, pylibsrtp.Error) as problem:
                self.problems.append(f"client {index}: {problem!r}")

    async def _keep_consent(self) -> None:
        """Sends connectivity checks from each client every few seconds, at spread times."""
        turns = round(_CONSENT_S / _SWEEP_S)
        turn = 0
        while True:
            for client in self.clients[turn::turns]:
                if client.connected:
                    client.check()
            turn = (turn + 1) % turns
            await asyncio.sleep(_SWEEP_S)


async def warm_up(whip: str, whep: str, workers: int) -> None:
    """Makes a server touch all its preallocated memory: its packet pools and the rings to and from Python.

    Its memory grows after that only with its load. The server must run with --packets-per-worker=4096.
    """
    record = dtls_record(23, epoch=1, body=bytes(1100))
    async with Crowd() as crowd:
        await crowd.publish(whip, rate_bps=25_000_000)
        viewers = await crowd.watch(whep, 2 * workers)
        for _ in range(200):
            for viewer in viewers:
                for _ in range(10):
                    viewer.inject(record)
            await asyncio.sleep(0.02)
