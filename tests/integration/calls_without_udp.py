"""A call where no UDP gets through: test_call_tcp.py runs this in a network of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ci.support.browser import Browser
from ci.support.peers import Peer, Publisher, Viewer
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two_workers() -> AsyncIterator[Server]:
    async with Server(workers=2) as running:
        yield running


async def test_a_browser_publishes_and_others_watch(two_workers: Server, browser: Browser, room: str) -> None:
    publisher = await Publisher.join(browser, two_workers.whip(room), sound=TONE_HZ)
    viewers = [await Viewer.join(browser, two_workers.whep(room)) for _ in range(2)]
    for viewer in viewers:
        await viewer.wait_until_live()
        seen = await viewer.watch(3)
        seen.check_picture()
        seen.check_tone(TONE_HZ)
    for peer in (publisher, *viewers):
        assert await selected_protocols(peer) == ("tcp", "tcp")


async def test_a_reloaded_publisher_and_restarted_viewer_go_on(
    two_workers: Server, browser: Browser, room: str
) -> None:
    url = two_workers.whip(room) + "?identity=alice"
    publisher = await Publisher.join(browser, url)
    viewer = await Viewer.join(browser, two_workers.whep(room))
    await viewer.wait_until_live()
    await publisher.return_to(url)
    await viewer.wait_until_live()
    assert await viewer.call("restartIce") == 200
    (await viewer.watch(3)).check_picture()
    assert await selected_protocols(viewer) == ("tcp", "tcp")


async def selected_protocols(peer: Peer) -> tuple[str, str]:
    """The protocols of the local and the remote candidate that the browser uses."""
    pair = await peer.call("selectedPair")
    return pair["local"]["protocol"], pair["remote"]["protocol"]
