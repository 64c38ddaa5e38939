"""A client with a fixed port is killed and comes back from there before the server has missed it."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aioice.ice
import pytest

from ci.support.aiortc_peer import AiortcPeer
from ci.support.crowd_server import counters
from ci.support.published import wait_until_open
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONNECTED_S = 7  # less than the 8 s after which a silent path gives way


@asynccontextmanager
async def client(url: str, port: int) -> AsyncIterator[None]:
    """A connected client, which is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ci.support.fixed_port_client", url, str(port)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(CONNECTED_S):
            assert await process.stdout.readline() == b"connected\n"
        yield
    finally:
        process.kill()
        await process.wait()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_a_client_that_is_killed_comes_back_from_the_same_port(
    room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    port = free_port()
    async with Server() as server, AiortcPeer() as viewer, aiohttp.ClientSession() as http:
        async with client(server.whip(room), port):
            await wait_until_open(http, server.whip(room))
            await viewer.watch(server.whep(room))
            await viewer.look_and_listen(2)
        async with client(server.whip(room), port):
            total = await until(lambda: counters(server.url), lambda total: total["transports"] == 2, 5)
            assert total["path_takeovers"] == 1, "one publisher and one viewer are left"
            await viewer.look_and_listen(1)
            assert len((await viewer.look_and_listen(2)).readable) > 20
        assert "the peer has connected again from the same address" in server.log
