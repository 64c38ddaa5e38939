"""`fanwire load` watches a WHEP server that is not Fanwire's: aiortc's, a full ICE agent without abs-capture-time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aioice.ice
import pytest
from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription

from ci.support.aiortc_peer import BarcodeTrack, ToneTrack

pytestmark = pytest.mark.asyncio(loop_scope="session")

FANWIRE = Path(sys.executable).with_name("fanwire")
TOKEN = "a-token-of-this-test"


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback addresses out; a machine without a network has no others."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


class WhepServer:
    """Gives each viewer a barcode and a tone, at /watch, which redirects there from /whep with 307."""

    def __init__(self) -> None:
        self.connections: list[RTCPeerConnection] = []
        self.left = 0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[str]:
        """The URL of /whep."""
        app = web.Application()
        app.router.add_post("/whep", self._redirect)
        app.router.add_post("/watch", self._watch)
        app.router.add_delete("/sessions/{number}", self._leave)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/whep"
        finally:
            await asyncio.gather(*(connection.close() for connection in self.connections))
            await runner.cleanup()

    async def _redirect(self, _: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/watch")

    async def _watch(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.content_type == "application/sdp"
        connection = RTCPeerConnection()
        self.connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        connection.addTrack(ToneTrack(440))
        connection.addTrack(BarcodeTrack())
        await connection.setLocalDescription(await connection.createAnswer())
        location = {"Location": f"sessions/{len(self.connections) - 1}"}
        answer = connection.localDescription.sdp
        return web.Response(status=201, text=answer, content_type="application/sdp", headers=location)

    async def _leave(self, request: web.Request) -> web.Response:
        self.left += 1
        await self.connections[int(request.match_info["number"])].close()
        return web.Response()


async def test_load_watches_an_aiortc_server(tmp_path: Path) -> None:
    server = WhepServer()
    report = tmp_path / "report.json"
    async with server.run() as url:
        process = await asyncio.create_subprocess_exec(
            FANWIRE, "load", url, "--source=127.0.0.1", "--viewers=2", "--duration=8", f"--token={TOKEN}",
            f"--json={report}", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed = (await process.communicate())[0].decode()
        states = [connection.connectionState for connection in server.connections]
    assert process.returncode == 0, printed
    found = json.loads(await asyncio.to_thread(report.read_text))
    assert found["viewers"]["joined"] == 2
    assert found["viewers"]["ended_early"] == {}
    received = found["received"]
    assert received["viewers_without_media"] == 0
    assert received["frames"] > 2 * 8 * 5  # aiortc's encoder may be slow on a busy machine
    assert received["lost"] == 0
    assert found["latency_ms"]["samples"] == 0
    assert server.left == 2
    assert states == ["closed"] * 2
