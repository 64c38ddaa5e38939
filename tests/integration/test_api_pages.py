"""The pages of a server with keys: they show the token from their address, and say so where there is none."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import expect

from ci.support.browser import Browser
from ci.support.server import Server
from fanwire.control.http.tokens import mint

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEYS = {"main": "m" * 32}


def token(identity: str, *grants: str) -> str:
    return mint(KEYS, identity, room="stage", grants=dict.fromkeys(grants, True), ttl_s=600)


async def test_the_pages_publish_and_watch_with_the_token_in_their_address(browser: Browser) -> None:
    async with Server(f"--keys=main:{KEYS['main']}") as server:
        uninvited = await browser.open(f"{server.url}/watch/stage")
        await expect(uninvited.get_by_text("You are not allowed in here")).to_be_visible()

        publishing = await browser.open(f"{server.url}/publish/stage#token={token('ann', 'publish')}")
        await expect(publishing.locator("#identity")).to_have_value("ann")
        await publishing.get_by_text("Test card", exact=True).click()
        await publishing.get_by_role("button", name="Start publishing").click()
        await expect(publishing.locator("#status")).to_have_text("Live", timeout=10_000)

        viewer = token("bob", "subscribe")
        for address in (f"/watch/stage#token={viewer}", f"/watch/stage?token={viewer}&publisher=ann"):
            watching = await browser.open(server.url + address)
            await expect(watching.locator("#status")).to_have_text("Live", timeout=15_000)

        admin = {"Authorization": f"Bearer {token('root', 'admin')}"}
        async with aiohttp.ClientSession(headers=admin) as client:
            async with client.get(f"{server.url}/api/v1/rooms/stage") as response:
                room = await response.json()
            assert (room["publishers"], room["viewers"], room["newestPublisher"]) == (1, 2, "ann")
            await publishing.close()
            async with client.get(f"{server.url}/metrics") as response:
                text = await response.text()
        assert 'kind="token-needed"' in text


async def test_a_page_under_a_name_that_is_not_allowed_says_so(browser: Browser) -> None:
    """As where a foreign name points at this machine: the browser takes the page for the server's own."""
    async with Server("--allow-origin=https://player.example") as server:
        renamed = server.url.replace("127.0.0.1", "foreign.localhost")
        watching = await browser.open(f"{renamed}/watch/stage")
        await expect(watching.get_by_text("The web page may not use this server")).to_be_visible()
        await expect(watching.get_by_text("--allow-origin")).to_be_visible()
        own = await browser.open(f"{server.url}/watch/stage")
        await expect(own.get_by_text("Nobody is publishing yet")).to_be_visible()
