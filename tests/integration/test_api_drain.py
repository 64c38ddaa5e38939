"""Stopping: nobody is let in any more, those who are here have a while to leave, and hear a goodbye."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
import pytest_asyncio
from aiortc.mediastreams import MediaStreamError

from ci.support import offers
from ci.support.aiortc_peer import AiortcPeer
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def publish(http: aiohttp.ClientSession, server: Server) -> aiohttp.ClientResponse:
    return await http.post(server.whip("stage"), data=offers.text("aiortc-publish"), headers=SDP)


async def ended(server: Server, timeout_s: float) -> float:
    """Seconds until the server's process has ended, well."""
    started = time.monotonic()
    async with asyncio.timeout(timeout_s):
        assert await server._process.wait() == 0
    return time.monotonic() - started


async def test_a_draining_server_lets_nobody_in_and_ends_with_the_last_session(http: aiohttp.ClientSession) -> None:
    async with Server("--drain-timeout-s=60") as server:
        created = await publish(http, server)
        assert (await http.get(f"{server.url}/readyz")).status == 200
        server._process.send_signal(signal.SIGTERM)

        async def readiness() -> int:
            return (await http.get(f"{server.url}/readyz")).status

        await until(readiness, lambda status: status == 503, timeout_s=2)
        for url in (server.whip("stage"), server.whep("stage")):
            refused = await http.post(url, data=offers.text("aiortc-publish"), headers=SDP)
            assert refused.status == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert (await refused.json())["type"] == "urn:fanwire:problem:draining"
        assert (await http.get(f"{server.url}/healthz")).status == 200
        assert (await http.delete(server.url + created.headers["Location"])).status == 200
        assert await ended(server, timeout_s=5) < 5


async def test_at_the_deadline_those_left_hear_a_goodbye(http: aiohttp.ClientSession) -> None:
    async with Server("--drain-timeout-s=2") as server:
        publisher, viewer = AiortcPeer(), AiortcPeer()
        async with LeftAlone(publisher), LeftAlone(viewer):
            await publisher.publish(server.whip("stage"), codec="VP8", tone_hz=440)
            await viewer.watch(server.whep("stage"))
            assert (await viewer.look_and_listen(2)).frames
            assert (await http.post(f"{server.url}/api/v1/drain")).status == 202
            assert (await viewer.look_and_listen(1)).frames, "until then the call goes on"
            await asyncio.wait_for(_until_bye(viewer), timeout=5)
            assert await ended(server, timeout_s=5) < 5


async def test_a_second_signal_ends_at_once(http: aiohttp.ClientSession) -> None:
    async with Server("--drain-timeout-s=60") as server:
        await publish(http, server)
        server._process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutError):
            await ended(server, timeout_s=1)
        server._process.send_signal(signal.SIGTERM)
        assert await ended(server, timeout_s=5) < 3


async def _until_bye(peer: AiortcPeer) -> None:
    """Returns once the picture has ended, which is what RTCP BYE does to a track."""
    with suppress(MediaStreamError):
        while True:
            await peer._tracks["video"].recv()


class LeftAlone:
    """A peer whose server has gone by the time that it would say so."""

    def __init__(self, peer: AiortcPeer) -> None:
        self._peer = peer

    async def __aenter__(self) -> None:
        await self._peer.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        with suppress(aiohttp.ClientError):
            await self._peer.__aexit__()
