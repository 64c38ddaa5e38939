"""Answers to clients that the server cannot serve."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import Error

from ci.support.browser import Browser
from ci.support.peers import Publisher, Viewer
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_watching_an_empty_room_says_that_nothing_is_published(
    server: Server, browser: Browser, room: str
) -> None:
    with pytest.raises(Error, match="409"):
        await Viewer.join(browser, server.whep(room))


async def test_a_publisher_without_a_codec_in_common_with_the_viewer_is_explained(
    server: Server, browser: Browser, room: str
) -> None:
    await Publisher.join(browser, server.whip(room), codec="VP8")
    offer = await (await Publisher.join(browser, server.whip(f"{room}-2"), codec="H264")).call("offer")
    async with aiohttp.ClientSession() as client:
        request = client.post(
            server.whep(room),
            data=offer.replace("a=sendonly", "a=recvonly"),
            headers={"Content-Type": "application/sdp"},
        )
        async with request as response:
            assert response.status == 422
            assert "VP8" in await response.text()


async def test_a_session_is_closed_only_once(server: Server, browser: Browser, room: str) -> None:
    publisher = await Publisher.join(browser, server.whip(room))
    assert await publisher.close() == 200
    assert await publisher.close() == 404
