"""Calls over networks that delay, lose and forget, and changes of the network path."""

from __future__ import annotations

import asyncio

import pytest

from ci.support.browser import Browser
from ci.support.peers import Peer, Publisher, Viewer
from ci.support.relay import AUDIO, MEDIA, Impairment, Relay
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_flash_and_beep_arrive_together_though_the_audio_is_late(
    server: Server, browser: Browser, room: str
) -> None:
    async with Relay(Impairment("up", AUDIO, delay_ms=300)) as relay:
        await Publisher.join(browser, server.whip(room), relay, sound="beeps")
        viewer = await Viewer.join(browser, server.whep(room))
        # A browser makes good at most 80 ms in a second.
        await until(lambda: viewer.watch(3), lambda seen: seen.is_in_sync, timeout_s=40)
        seen = await viewer.watch(6)
        assert seen.is_in_sync, seen
        assert seen.latency_ms > 200, "the picture did not wait for the sound: was the sound late at all?"
        await browser.close_pages()


async def test_a_call_survives_loss_and_reordering_on_both_ways(server: Server, browser: Browser, room: str) -> None:
    bad_uplink = Impairment("up", MEDIA, loss=0.03, delay_ms=20, jitter_ms=10, reorder=0.02)
    bad_downlink = Impairment("down", MEDIA, loss=0.03, delay_ms=20, jitter_ms=10, reorder=0.02)
    async with Relay(bad_uplink) as uplink, Relay(bad_downlink) as downlink:
        await Publisher.join(browser, server.whip(room), uplink, sound=440)
        viewer = await Viewer.join(browser, server.whep(room), downlink)
        await viewer.wait_until_live()
        seen = await viewer.watch(8)
        seen.check_picture()
        seen.check_tone(440)
        assert len(seen.frames) >= 8 * 15, "retransmissions keep the picture fluent"
        assert uplink.lost["up", "video"] > 0
        assert downlink.lost["down", "video"] > 0
        await browser.close_pages()


async def test_a_call_survives_a_nat_that_forgets(server: Server, browser: Browser, room: str) -> None:
    async with Relay() as uplink, Relay() as downlink:
        await Publisher.join(browser, server.whip(room), uplink)
        viewer = await Viewer.join(browser, server.whep(room), downlink)
        await viewer.wait_until_live()
        for relay in (downlink, uplink):
            relay.rebind()
            await asyncio.sleep(1)
            await viewer.wait_until_live(timeout_s=15)
        (await viewer.watch(2)).check_picture()
        await browser.close_pages()


async def test_ice_restarts_without_a_break(server: Server, browser: Browser, room: str) -> None:
    publisher = await Publisher.join(browser, server.whip(room))
    assert await publisher.call("trickle") == 204  # of the session that the restart replaces
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    for peer in (viewer, publisher):
        await viewer.drain()
        await restart_ice(peer)
        await asyncio.sleep(3)
        (await viewer.drain()).check_picture()


async def restart_ice(peer: Peer) -> None:
    before = await peer.call("usernameFragment")
    assert await peer.call("restartIce") == 200
    await until(lambda: peer.call("usernameFragment"), lambda now: bool(now != before), timeout_s=5)
    await peer.wait_for_state("connected")
