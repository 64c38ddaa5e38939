"""Runs ci.support.webrtcbin_peer under the system's Python, which has the bindings of GStreamer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("webrtcbin_peer.py")
CONNECTED_S = 15


class Webrtcbin:
    """One connected webrtcbin."""

    def __init__(self, output: asyncio.StreamReader) -> None:
        self._output = output

    async def packets(self, seconds: int) -> int:
        """Returns the packets received in the next `seconds`."""
        counts = [int(await self._output.readline()) for _ in range(seconds + 1)]
        return counts[-1] - counts[0]


@asynccontextmanager
async def webrtcbin(role: Literal["publish", "watch"], url: str) -> AsyncIterator[Webrtcbin]:
    """A webrtcbin that publishes or watches until the end of the context, connected at its start."""
    process = await asyncio.create_subprocess_exec(PYTHON, str(SCRIPT), role, url, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(CONNECTED_S):
            while (line := await process.stdout.readline()) != b"connected\n":
                assert line, "webrtcbin has ended"
        yield Webrtcbin(process.stdout)
    finally:
        process.kill()
        await process.wait()
