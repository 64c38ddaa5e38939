"""Firefox publishes and watches, beside Chromium: test_firefox.py runs this in a network of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from random import Random
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from ci.support.browser import Browser
from ci.support.browser import firefox as launch_firefox
from ci.support.layers import CASES, RIDS, START_S, WIDTHS, Case, Chooser, simulcast
from ci.support.peers import Publisher, Viewer
from ci.support.seen import Seen
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440  # of Firefox's pretended microphone: ci/support/browser.py
GOOD = [{"maxBitrate": 1_500_000}]
SWITCHES = 15
PADDED_S = 30
SHARP_S = 30
PAUSE_MS = 700
REST_S = 0.4  # what was switched to is watched for this long
SHOWN = """video => new Promise((resolve) => {  // pictures in a second
  let shown = 0;
  const count = () => {
    shown++;
    video.requestVideoFrameCallback(count);
  };
  video.requestVideoFrameCallback(count);
  setTimeout(() => resolve(shown), 1000);
})"""


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
    # Firefox begins VP9 with a low bit rate: too blurred to read.
    await until(lambda: viewer.watch(1), lambda seen: seen.is_sharp, SHARP_S, every_s=0)
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

    async def watched() -> float:
        (await viewer.watch(4)).check_picture()
        return await server.counter("padded_out") - padded

    # AV1 fills every packet but a frame's last. On a busy machine fewer packets are in a flush together.
    await until(watched, lambda packets: codec == "AV1" or packets > 30, PADDED_S)
    after = await received(viewer)
    assert after["framesDecoded"] - before["framesDecoded"] > 4 * 15
    assert after["totalAudioEnergy"] - before["totalAudioEnergy"] > 0.1
    assert after["pliCount"] == before["pliCount"], "the decoder was lost"
    assert after["packetsLost"] == 0
    assert await publisher.call("sumStats", "outbound-rtp", "packetsSent") > 4 * 60, "frames were of a packet each"


async def received(viewer: Viewer) -> dict[str, float]:
    """The browser's counters of its incoming streams."""
    names = ("framesDecoded", "totalAudioEnergy", "pliCount", "packetsLost")
    return {name: await viewer.call("sumStats", "inbound-rtp", name) for name in names}


LAYERED = {
    "firefox-vp8": Case("VP8", simulcast("L1T1"), "encodingId", RIDS),
    **{f"chromium-{name}": CASES[name] for name in ("vp8", "vp9-svc", "h264", "av1")},
}


@pytest.mark.parametrize("name", LAYERED)
async def test_layers_go_up_and_down_without_a_pause(
    server: Server, browser: Browser, firefox: Browser, room: str, name: str
) -> None:
    case = LAYERED[name]
    source, watching = (firefox, [firefox, browser]) if name.startswith("firefox") else (browser, [firefox])
    await Publisher.join(
        source, server.whip(room), codec=case.codec, encodings=case.encodings, width=960, height=540, sound=None
    )
    viewers = [await Viewer.join(where, server.whep(room)) for where in watching]
    # One that stays with the lowest layer, and so waits for nothing but a busy machine.
    steady = await Viewer.join(firefox, server.whep(room))
    async with aiohttp.ClientSession() as http:
        lowest = Chooser(http, server, steady, await steady.resource())
        await lowest.choose(*case.choices()[0])
        switched = [Chooser(http, server, viewer, await viewer.resource()) for viewer in viewers]
        shown = await asyncio.gather(*map(switch_at_random, viewers, switched, [case] * len(viewers)))
        await lowest.width()
        for seen in shown:
            pause_ms = seen.longest_pause_ms(beside=Seen(lowest.frames))
            assert pause_ms < PAUSE_MS, f"the picture stood still for {pause_ms:.0f} ms"


async def switch_at_random(viewer: Viewer, chooser: Chooser, case: Case) -> Seen:
    """Waits for the highest layer and switches; what was shown from then on, which must be what was asked for."""
    await until(chooser.width, lambda width: width == WIDTHS[-1], START_S)
    chooser.frames.clear()
    asked = await viewer.call("sumStats", "inbound-rtp", "pliCount")
    random = Random(5)
    last: tuple[dict[str, Any], int] | None = None
    for _ in range(SWITCHES):
        last = random.choice([choice for choice in case.choices() if choice != last])
        await chooser.choose(*last)
        await asyncio.sleep(REST_S)
    await chooser.width()
    seen = Seen(chooser.frames)
    seen.check_whole()
    assert await viewer.call("sumStats", "inbound-rtp", "pliCount") == asked, "the viewer's decoder was lost"
    return seen


async def test_firefox_gets_a_layer_of_av1_that_it_can_decode(
    server: Server, browser: Browser, firefox: Browser, room: str
) -> None:
    layers = [{"scalabilityMode": "L3T3", "maxBitrate": 900_000}]
    await Publisher.join(browser, server.whip(room), codec="AV1", width=960, height=540, encodings=layers)
    viewer = await Viewer.join(firefox, server.whep(room))
    await viewer.wait_until_live()
    seen = await viewer.watch(3)
    seen.check_picture()
    assert seen.widths == {WIDTHS[0]}


async def test_our_pages_call(server: Server, browser: Browser, firefox: Browser, room: str) -> None:
    for publishing, watching in ((firefox, browser), (browser, firefox)):
        page = await publishing.open(f"{server.url}/publish/{room}")
        await page.get_by_text("Quality and name").click()
        await page.get_by_label("Resolution").select_option("360")
        await page.get_by_text("Test card", exact=True).click()
        await page.get_by_role("button", name="Start publishing").click()
        video = (await watching.open(f"{server.url}/watch/{room}")).locator("video")
        await until(partial(video.evaluate, SHOWN), lambda frames: frames > 15, timeout_s=30)
        await page.close()
        await watching.close_pages()
