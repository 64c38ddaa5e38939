"""Loss in a call: a twentieth of all packets lost, 50 ms away, and the picture does not stop."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from ci.support.browser import Browser
from ci.support.peers import Peer, Publisher, Viewer
from ci.support.relay import MEDIA, Direction, Impairment, Relay
from ci.support.seen import Seen
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOSS = 0.05
DELAY_MS = 50
WATCH_S = 30
LOST_PACKETS = 300  # enough to tell one repair in twenty from chance
PICTURE: dict[str, Any] = {"width": 640, "height": 480, "noise": True, "sound": 440}


def lossy(direction: Direction) -> Relay:
    """A network that loses one way, and takes its time both ways."""
    back: Direction = "up" if direction == "down" else "down"
    return Relay(Impairment(direction, MEDIA, loss=LOSS, delay_ms=DELAY_MS), Impairment(back, delay_ms=DELAY_MS))


def check_fluent(seen: Seen) -> None:
    """No pause over 500 ms; a busy machine is forgiven one, as long as it is short."""
    pauses = sorted(after.shown_ms - before.shown_ms for before, after in pairwise(seen.frames))
    assert pauses[-2] <= 500
    assert pauses[-1] <= 1000


async def watch_and_count(
    viewer: Viewer, repairer: Peer, counter: tuple[str, str], relay: Relay, way: Direction
) -> Seen:
    """Watches until enough was lost, and checks that nearly all of it was sent again."""
    repaired, lost = await repairer.call("sumStats", *counter), relay.lost[way, "video"]
    await viewer.drain()
    await asyncio.sleep(WATCH_S)
    # A busy machine's encoder sends less in that time.
    await until(lambda: lost_since(relay, way, lost), lambda count: count >= LOST_PACKETS, timeout_s=90)
    seen = await viewer.drain()
    repaired = await repairer.call("sumStats", *counter) - repaired
    lost = await lost_since(relay, way, lost)
    assert repaired >= 0.95 * lost, f"{repaired} packets sent again for {lost} lost"
    return seen


async def lost_since(relay: Relay, way: Direction, before: int) -> int:
    return relay.lost[way, "video"] - before


@pytest.mark.timeout(180)
async def test_loss_on_the_way_to_a_viewer_does_not_stop_the_picture(
    server: Server, browser: Browser, room: str
) -> None:
    async with lossy("down") as downlink:
        await Publisher.join(browser, server.whip(room), **PICTURE)
        viewer = await Viewer.join(browser, server.whep(room), downlink)
        await viewer.wait_until_live()
        await viewer.watch(5)  # the encoder finds its rate, the viewer its buffer
        counter = ("inbound-rtp", "retransmittedPacketsReceived")
        seen = await watch_and_count(viewer, viewer, counter, downlink, "down")
        check_fluent(seen)
        await browser.close_pages()


@pytest.mark.timeout(180)
async def test_loss_on_the_way_from_the_publisher_does_not_stop_the_picture(
    server: Server, browser: Browser, room: str
) -> None:
    async with lossy("up") as uplink:
        publisher = await Publisher.join(browser, server.whip(room), uplink, **PICTURE)
        viewer = await Viewer.join(browser, server.whep(room))
        await viewer.wait_until_live()
        await viewer.watch(5)
        counter = ("outbound-rtp", "retransmittedPacketsSent")
        seen = await watch_and_count(viewer, publisher, counter, uplink, "up")
        check_fluent(seen)
        await browser.close_pages()
