"""People come and go: a viewer leaves or is killed, a publisher goes and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ci.support.browser import Browser
from ci.support.peers import Publisher, Viewer, watch_all
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONSENT_S = 5


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def impatient() -> AsyncIterator[Server]:
    """A server that gives a silent peer up soon."""
    async with Server(f"--consent-timeout-s={CONSENT_S}") as running:
        yield running


async def test_a_viewer_that_leaves_is_gone_at_once(server: Server, browser: Browser, room: str) -> None:
    await Publisher.join(browser, server.whip(room))
    leaver, stayer = [await Viewer.join(browser, server.whep(room)) for _ in range(2)]
    await leaver.wait_until_live()
    resource = await leaver.resource()
    assert await leaver.close() == 200
    await server.wait_until_gone(resource, timeout_s=1)
    (await stayer.watch(2)).check_picture()


@pytest.mark.parametrize("end", ["kill", "close_page"])
async def test_a_viewer_that_vanishes_is_cleaned_up(impatient: Server, browser: Browser, room: str, end: str) -> None:
    await Publisher.join(browser, impatient.whip(room))
    victim, survivor = [await Viewer.join(browser, impatient.whep(room)) for _ in range(2)]
    await victim.wait_until_live()
    resource = await victim.resource()
    await getattr(victim, end)()
    await impatient.wait_until_gone(resource, timeout_s=CONSENT_S + 5)
    (await survivor.watch(2)).check_picture()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"codec": "VP8", "sound": 440}, {"codec": "VP8", "sound": 600}, id="the-same"),
        pytest.param({"codec": "VP8", "sound": 440}, {"codec": "H264", "sound": 600}, id="with-another-codec"),
        pytest.param({"codec": "H264", "sound": None}, {"codec": "H264", "sound": 600}, id="with-sound"),
    ],
)
async def test_viewers_go_on_when_the_publisher_comes_back(
    server: Server, browser: Browser, room: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The page is reloaded: the server hears no goodbye, and the new session has nothing of the old one's."""
    publish_url = server.whip(room) + "?identity=alice"
    publisher = await Publisher.join(browser, publish_url, **before)
    watch_urls = [server.whep(room) + "?publisher=alice", server.whep(room)]
    viewers = [await Viewer.join(browser, url) for url in watch_urls]
    for viewer in viewers:
        await viewer.wait_until_live()
    negotiations = [await viewer.call("negotiations") for viewer in viewers]

    await publisher.return_to(publish_url, **after)

    for viewer in viewers:
        await viewer.wait_until_live()
    for seen in await watch_all(viewers, seconds=3):
        seen.check_picture()
        seen.check_tone(600)
    assert [await viewer.call("negotiations") for viewer in viewers] == negotiations


async def test_viewers_come_back_to_the_picture_after_the_publisher_left(
    server: Server, browser: Browser, room: str
) -> None:
    publish_url = server.whip(room) + "?identity=alice"
    publisher = await Publisher.join(browser, publish_url)
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    assert await publisher.close() == 200
    await viewer.watch(1)
    assert not (await viewer.watch(1)).frames
    await publisher.return_to(publish_url)
    await viewer.wait_until_live()
    (await viewer.watch(2)).check_picture()
