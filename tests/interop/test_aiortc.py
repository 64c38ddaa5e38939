"""aiortc publishes to and watches the server."""

from __future__ import annotations

import aioice.ice
import pytest

from support.aiortc_peer import AiortcPeer
from support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback addresses out; a machine without a network has no others."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_aiortc_watches_aiortc(server: Server, room: str, codec: str) -> None:
    async with AiortcPeer() as publisher, AiortcPeer() as viewer:
        await publisher.publish(server.whip(room), codec=codec, tone_hz=440)
        await viewer.watch(server.whep(room))
        await viewer.look_and_listen(2)
        seen = await viewer.look_and_listen(3)
    seen.check_picture()
    seen.check_tone(440)
