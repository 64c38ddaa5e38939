"""Waits until viewers can watch a publisher: the room opens at its first media."""

from __future__ import annotations

import aiohttp
from yarl import URL

from .waiting import until


async def wait_until_open(http: aiohttp.ClientSession, whip: str, timeout_s: float = 10) -> None:
    """Waits until the room of this WHIP URL has a publisher. With keys, `http` sends an admin's token."""
    url = URL(whip)
    room = url.origin() / "api/v1/rooms" / url.name

    async def publishers() -> int:
        async with http.get(room) as response:
            assert response.status in (200, 404), await response.text()
            return int((await response.json())["publishers"]) if response.status == 200 else 0

    await until(publishers, bool, timeout_s, every_s=0.02)
