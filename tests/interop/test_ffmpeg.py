"""FFmpeg's WHIP muxer publishes: it is a passive DTLS peer, knows AES-CM only, names no media and ignores PLI."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ci.support.browser import Browser
from ci.support.peers import Viewer
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 500


@asynccontextmanager
async def ffmpeg_publishing(url: str, folder: Path) -> AsyncIterator[None]:
    """A process of its own, for the muxer blocks its thread."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ci.support.ffmpeg_whip", url, str(folder), str(TONE_HZ)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(15):
            assert await process.stdout.readline() == b"publishing\n"
        yield
        process.terminate()
        async with asyncio.timeout(5):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_chromium_watches_ffmpeg(server: Server, browser: Browser, room: str, tmp_path: Path) -> None:
    async with ffmpeg_publishing(server.whip(room), tmp_path):
        viewer = await Viewer.join(browser, server.whep(room))
        await viewer.wait_until_live()
        seen = await viewer.watch(3)
        seen.check_picture()
        seen.check_tone(TONE_HZ)
        assert await viewer.close() == 200
