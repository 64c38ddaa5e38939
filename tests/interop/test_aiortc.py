"""aiortc publishes to and watches the server, with itself and with Chromium at the other end."""

from __future__ import annotations

import aioice.ice
import pytest

from ci.support.aiortc_peer import AiortcPeer
from ci.support.browser import Browser
from ci.support.peers import Publisher, Viewer
from ci.support.seen import Seen
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440
CODECS = pytest.mark.parametrize("codec", ["VP8", "H264"])


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback addresses out; a machine without a network has no others."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@CODECS
async def test_aiortc_watches_aiortc(server: Server, room: str, codec: str) -> None:
    async with AiortcPeer() as publisher, AiortcPeer() as viewer:
        await publisher.publish(server.whip(room), codec=codec, tone_hz=TONE_HZ)
        await viewer.watch(server.whep(room))
        check(await settled(viewer))


@CODECS
async def test_aiortc_watches_chromium(server: Server, browser: Browser, room: str, codec: str) -> None:
    async with AiortcPeer() as viewer:
        await Publisher.join(browser, server.whip(room), codec=codec, sound=TONE_HZ)
        await viewer.watch(server.whep(room))
        check(await settled(viewer))


@CODECS
async def test_chromium_watches_aiortc(server: Server, browser: Browser, room: str, codec: str) -> None:
    async with AiortcPeer() as publisher:
        await publisher.publish(server.whip(room), codec=codec, tone_hz=TONE_HZ)
        viewer = await Viewer.join(browser, server.whep(room))
        await viewer.wait_until_live()
        check(await viewer.watch(3))


async def settled(viewer: AiortcPeer) -> Seen:
    """What it sees and hears once connected and past its first keyframe."""
    await viewer.look_and_listen(2)
    return await viewer.look_and_listen(3)


def check(seen: Seen) -> None:
    seen.check_picture()
    seen.check_tone(TONE_HZ)
