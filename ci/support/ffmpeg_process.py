"""Runs ci.support.ffmpeg_whip in a process of its own, because FFmpeg's muxer blocks its thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def ffmpeg_publishing(url: str, folder: Path, tone_hz: float) -> AsyncIterator[None]:
    """Publishes to a WHIP URL until the end of the context. `folder` gets the certificate."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ci.support.ffmpeg_whip", url, str(folder), str(tone_hz)),
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
