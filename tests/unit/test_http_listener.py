"""Bounds on HTTP clients that have shown no token: bytes of headers, time, connections, descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ci.support.certificates import write_certificate
from ci.support.no_rooms import NoRooms
from ci.support.waiting import until
from fanwire.control.config.options import HttpOptions
from fanwire.control.http import listener
from fanwire.control.http.api import create_app
from fanwire.control.http.listener import HttpServer
from fanwire.control.http.problems import PROBLEM_COUNTS

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
BUSY = b"GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """An application behind the real listener, with a page that answers when `release` is set."""

    def __init__(self, trusted: Sequence[IPv4Network] = (), **options: Any) -> None:
        self.release = asyncio.Event()
        self.started = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.app = create_app(NoRooms())
        self.app.router.add_get("/busy", self._busy)
        self.server = HttpServer(self.app, HttpOptions(http=("127.0.0.1", 0), **options), trusted_proxies=trusted)

    @property
    def problems(self) -> Counter[str]:
        return self.app[PROBLEM_COUNTS]

    async def connect(self, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.server.addresses[0], local_addr=(host, 0))
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes, host: str = "127.0.0.1") -> tuple[int, str]:
        """The status and the last word of the problem's type, on a connection of its own."""
        reader, writer = await self.connect(host)
        writer.write(request)
        return await answer(reader)

    async def _busy(self, _: web.Request) -> web.Response:
        self.started += 1
        await self.release.wait()
        return web.Response()


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Served]:
    served = Served(**options)
    async with served.server:
        yield served
        served.release.set()
        for writer in served.writers:
            writer.close()
        for writer in served.writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(line for line in head.splitlines() if line.startswith("Content-Length"))
        document = json.loads(await reader.readexactly(int(length.split()[1])) or b"{}")
    assert "aiohttp" not in head.lower()
    return int(head.split()[1]), str(document.get("type", "")).rpartition(":")[2]


async def test_the_headers_of_a_request_are_bounded_together() -> None:
    async with serving() as served:
        lines = [b"X-%d: %s\r\n" % (i, b"x" * 3990) for i in range(9)]
        assert await served.ask(GET + b"".join(lines[:8]) + b"\r\n") == (200, "")
        assert await served.ask(GET + b"".join(lines) + b"\r\n") == (431, "headers-too-large")
        assert await served.ask(GET + b"X: " + b"x" * 9000 + b"\r\n\r\n") == (431, "header-too-long")
        reader, writer = await served.connect()
        body = b"POST /whip/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 60000\r\n\r\n"
        writer.write(body + b"x" * 60_000 + GET + b"\r\n")
        assert (await answer(reader))[0] == 503
        assert await answer(reader) == (200, "")


async def test_headers_that_never_end_are_cut_off_and_their_sender_is_not_echoed() -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(GET)
        for i in range(20):
            writer.write(b"X-%d: SECRET%s\r\n" % (i, b"x" * 2000))
            await asyncio.sleep(0)
        text = await reader.read()
        assert text.startswith(b"HTTP/1.0 431")
        assert b"SECRET" not in text


@pytest.mark.parametrize("sent", [b"", GET, b"\x16\x03\x01"], ids=["nothing", "half a request", "half a ClientHello"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_headers_that_do_not_come_in_time_end_the_connection(sent: bytes, tls: bool, tmp_path: Path) -> None:
    options = dict(zip(("tls_cert", "tls_key"), write_certificate(tmp_path, "http"), strict=True)) if tls else {}
    async with serving(headers_timeout_s=0.2, **options) as served:
        reader, writer = await served.connect()
        writer.write(sent)
        async with asyncio.timeout(5):
            while await _read(reader):
                pass


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(1000)
    except ConnectionError:
        return b""


async def test_a_second_request_has_as_long_as_the_first() -> None:
    async with serving(headers_timeout_s=0.3) as served:
        reader, writer = await served.connect()
        writer.write(GET + b"\r\n")
        assert await answer(reader) == (200, "")
        await asyncio.sleep(0.5)  # between requests there is more time
        writer.write(GET)
        assert await _read(reader) == b""
        assert served.problems == {"headers-too-slow": 1}


async def test_an_address_has_so_many_connections_and_those_that_wait_give_way() -> None:
    async with serving(max_connections_per_address=2, trusted=[IPv4Network("127.0.0.3")]) as served:
        oldest, _ = await served.connect()
        await served.connect()
        assert await served.ask(GET + b"\r\n") == (200, "")
        assert await _read(oldest) == b""
        for host in ("127.0.0.1", "127.0.0.1", "127.0.0.3", "127.0.0.3", "127.0.0.3"):
            _, writer = await served.connect(host)
            writer.write(BUSY)
        await asyncio.sleep(0.1)
        assert await served.ask(BUSY) == (429, "too-many-connections-from-address")
        assert await served.ask(GET + b"\r\n") == (200, ""), "operators go on"
        assert (await served.ask(b"DELETE /whip/a/b HTTP/1.1\r\nHost: a\r\n\r\n"))[0] == 404, "open sessions go on"
        assert await served.ask(GET + b"\r\n", "127.0.0.2") == (200, "")
        assert (await served.ask(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "127.0.0.3"))[0] == 404


async def test_the_server_has_so_many_connections_and_a_reserve() -> None:
    async with serving(max_connections=4) as served:
        opened = [await served.connect(f"127.0.1.{i + 1}") for i in range(8)]
        await asyncio.sleep(0.1)
        assert served.problems == {"connections-closed-for-others": 4}
        for _, writer in opened[4:]:
            writer.write(BUSY)
        await asyncio.sleep(0.1)
        for _ in range(2 * listener.RESERVE):  # what waits in the reserve gives way, too
            await served.connect("127.0.1.9")
        assert await served.ask(BUSY) == (503, "too-many-connections")
        assert await served.ask(GET + b"\r\n") == (200, "")
        served.release.set()
        assert (await answer(opened[4][0]))[0] == 200
        assert (await served.ask(BUSY))[0] == 200


async def test_a_body_that_does_not_come_holds_no_place() -> None:
    async with serving(max_connections=2) as served:
        stalled = b"POST /whip/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\n"
        for _ in range(2):
            _, writer = await served.connect()
            writer.write(stalled)
        await asyncio.sleep(0.1)
        assert (await served.ask(BUSY[:5] + b"none HTTP/1.1\r\nHost: a\r\n\r\n"))[0] == 404


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        first_free = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_client_that_leaves_in_mid_body_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as served:

        async def problems() -> Counter[str]:
            return served.problems

        _, writer = await served.connect()
        writer.write(
            b"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0"
        )
        await writer.drain()
        writer.close()
        await until(problems, lambda counts: counts.total() > 0, 5)
        assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_without_descriptors_the_server_waits_and_does_not_spin() -> None:
    loop = asyncio.get_running_loop()
    async with serving() as served:
        clients = [socket.socket() for _ in range(3)]
        for client in clients:
            client.setblocking(False)
        with no_descriptor_left():
            for client in clients:
                await loop.sock_connect(client, served.server.addresses[0])
            await until(lambda: _later(served.problems.get("no-descriptors", 0)), lambda count: count >= 1, 5)
            busy, began = time.process_time(), time.monotonic()
            await until(lambda: _later(served.problems["no-descriptors"]), lambda count: count >= 3, 5)
            assert time.process_time() - busy < 0.2 * (time.monotonic() - began)
        for client in clients:
            await loop.sock_sendall(client, GET + b"\r\n")
            async with asyncio.timeout(5):
                assert (await loop.sock_recv(client, 1000)).startswith(b"HTTP/1.1 200")
            client.close()


async def _later(value: int) -> int:
    return value


async def test_https_is_served_behind_the_same_bounds(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "http")
    async with serving(tls_cert=certificate, tls_key=key, max_connections_per_address=1) as served:
        url = "https://{}:{}".format(*served.server.addresses[0])
        connector = aiohttp.TCPConnector(ssl=False, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as client:
            busy = asyncio.create_task(_status(client, f"{url}/busy"))
            await until(lambda: _later(served.started), lambda count: count == 1, 5)
            assert await _status(client, f"{url}/busy") == 429
            assert await _status(client, f"{url}/healthz") == 200
            served.release.set()
            assert await busy == 200


async def test_keep_alive_and_many_clients_at_once_are_served() -> None:
    async with serving() as served:
        url = "http://{}:{}/healthz".format(*served.server.addresses[0])
        async with aiohttp.ClientSession() as client:
            statuses = await asyncio.gather(*(_status(client, url) for _ in range(300)))
        assert statuses == [200] * 300
        assert served.problems == {}


async def _status(client: aiohttp.ClientSession, url: str) -> int:
    async with client.get(url) as response:
        return response.status
