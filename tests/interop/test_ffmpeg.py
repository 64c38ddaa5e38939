"""FFmpeg's WHIP muxer publishes: it is a passive DTLS peer, knows AES-CM only, names no media and ignores PLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.support.browser import Browser
from ci.support.ffmpeg_process import ffmpeg_publishing
from ci.support.peers import Viewer
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 500


async def test_chromium_watches_ffmpeg(server: Server, browser: Browser, room: str, tmp_path: Path) -> None:
    async with ffmpeg_publishing(server.whip(room), tmp_path, TONE_HZ):
        viewer = await Viewer.join(browser, server.whep(room))
        await viewer.wait_until_live()
        seen = await viewer.watch(3)
        seen.check_picture()
        seen.check_tone(TONE_HZ)
        assert await viewer.close() == 200
