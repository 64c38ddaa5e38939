"""Firefox publishes and watches, beside Chromium: test_firefox.py runs this in a network of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from integration.test_call_layers import CASES, PAUSE_MS, REST_S, START_S, WIDTHS, Case, Chooser, simulcast
from support.browser import Browser
from support.browser import firefox as launch_firefox
from support.peers import Publisher, Viewer
from support.seen import Seen
from support.server import Server
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440  # of Firefox's pretended microphone: support/browser.py
GOOD = [{"maxBitrate": 1_500_000}]
SWITCHES = 15
FRAMES = "video => video.getVideoPlaybackQuality().totalVideoFrames"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_firefox() -> AsyncIterator[Browser]:
    async with Browser(launch_firefox) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def firefox(shared_firefox: Browser) -> AsyncIterator[Browser]:
    """Firefox, whose pages are closed after the test."""
    yield shared_firefox
    await shared_firefox.close_pages()


@pytest.mark.parametrize("codec", ["VP8", "VP9", "AV1"])
async def test_firefox_publishes_and_chromium_watches(
    server: Server, browser: Browser, firefox: Browser, room: str, codec: str
) -> None:
    await Publisher.join(firefox, server.whip(room), codec=codec, encodings=GOOD, sound="microphone")
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    seen = await viewer.watch(3)
    seen.check_picture()
    seen.check_tone(TONE_HZ)


@pytest.mark.parametrize("codec", ["VP8", "VP9", "AV1", "H264"])
async def test_firefox_shows_what_was_padded(
    server: Server, browser: Browser, firefox: Browser, room: str, codec: str
) -> None:
    publisher = await Publisher.join(
        browser, server.whip(room), codec=codec, encodings=GOOD, width=640, height=480, noise=True
    )
    viewer = await Viewer.join(firefox, server.whep(room))
    await viewer.wait_until_live()
    padded = await server.counter("padded_out")
    before = await received(viewer)
    seen = await viewer.watch(4)
    seen.check_picture()
    after = await received(viewer)
    # AV1 fills every packet but a frame's last.
    assert codec == "AV1" or await server.counter("padded_out") - padded > 30
    assert after["framesDecoded"] - before["framesDecoded"] > 4 * 15
    assert after["totalAudioEnergy"] - before["totalAudioEnergy"] > 0.1
    assert after["pliCount"] == before["pliCount"], "the decoder was lost"
    assert after["packetsLost"] == 0
    assert await publisher.call("sumStats", "outbound-rtp", "packetsSent") > 4 * 60, "frames were of a packet each"


async def received(viewer: Viewer) -> dict[str, float]:
    """What the browser counted of its incoming streams."""
    names = ("framesDecoded", "totalAudioEnergy", "pliCount", "packetsLost")
    return {name: await viewer.call("sumStats", "inbound-rtp", name) for name in names}


LAYERED = {
    "firefox-vp8": Case("VP8", simulcast("L1T1"), "encodingId", ("q", "h", "f"), temporal=False),
    **{f"chromium-{name}": CASES[name] for name in ("vp8", "vp9-svc", "h264", "av1")},
}


@pytest.mark.parametrize("name", LAYERED)
async def test_firefox_shows_layers_without_a_pause(
    server: Server, browser: Browser, firefox: Browser, room: str, name: str
) -> None:
    case = LAYERED[name]
    source = firefox if name.startswith("firefox") else browser
    await Publisher.join(
        source, server.whip(room), codec=case.codec, encodings=case.encodings, width=960, height=540, sound=None
    )
    async with aiohttp.ClientSession() as http:
        viewers = [await Viewer.join(watching, server.whep(room)) for watching in {firefox, source}]
        choosers = [Chooser(http, server, viewer, await viewer.resource()) for viewer in viewers]
        await asyncio.gather(*map(switch_at_random, choosers, [case] * len(choosers)))
        for viewer in viewers:
            assert await viewer.call("sumStats", "inbound-rtp", "pliCount") <= 1


async def switch_at_random(chooser: Chooser, case: Case) -> None:
    random = Random(5)
    await until(chooser.width, lambda width: width == WIDTHS[-1], START_S)
    chooser.frames.clear()
    last: tuple[dict[str, Any], int] | None = None
    for _ in range(SWITCHES):
        last = random.choice([wish for wish in case.wishes() if wish != last])
        await chooser.choose(*last)
        await asyncio.sleep(REST_S)
    await chooser.width()
    Seen(chooser.frames).check_picture()
    pauses = [after.shown_ms - before.shown_ms for before, after in pairwise(chooser.frames)]
    assert max(pauses) < PAUSE_MS, f"the picture stood still for {max(pauses):.0f} ms"
    print("pause", max(pauses))
