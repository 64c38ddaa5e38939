"""Layers switched at random between real browsers: the picture never stops, and is the one asked for.

Also where the network loses, reorders and doubles what the publisher sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import aiohttp
import pytest

from ci.support.browser import Browser
from ci.support.layers import CASES, START_S, SWITCH_S, WIDTHS, Case, Chooser, as_ids
from ci.support.peers import Publisher, Viewer
from ci.support.relay import MEDIA, Impairment, Relay
from ci.support.seen import Frame, Seen
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SWITCHES = 15
BAD_SWITCHES = 10  # over a bad uplink
STEADY_S = 2
REST_S = 0.7  # what was switched to is watched for this long
RATE_S = 30  # until a busy machine shows all pictures again
PAUSE_MS = 700
HIGHEST: dict[str, Any] = {}
BACK_MS = 250  # two repairs of a keyframe, when the first is lost as well
BAD_UPLINK = Impairment("up", MEDIA, loss=0.05, delay_ms=10, reorder=0.02, duplicate=0.02)


def longest_pauses_ms(frames: Sequence[Frame]) -> list[float]:
    """The two longest times between pictures, the longest last."""
    return sorted(after.shown_ms - before.shown_ms for before, after in pairwise(frames))[-2:]


async def go_up_and_down(
    server: Server, browser: Browser, room: str, case: Case, switches: int, uplink: Relay | None = None
) -> None:
    """Publishes and watches, waits for the highest layers, and switches; what was shown must be what was asked for."""
    random = Random(5)
    picture = {"codec": case.codec, "encodings": case.encodings, "width": 960, "height": 540, "sound": None}
    await Publisher.join(browser, server.whip(room), uplink, **picture)
    viewer = await Viewer.join(browser, server.whep(room), descriptor=case.descriptor)
    async with aiohttp.ClientSession() as http:
        chooser = Chooser(http, server, viewer, await viewer.resource())
        await until(chooser.width, lambda width: width == WIDTHS[-1], START_S)
        steady_ms = longest_pauses_ms((await viewer.watch(STEADY_S)).frames)[-1]  # of this machine, without switches
        chooser.frames.clear()
        asked = await viewer.call("sumStats", "inbound-rtp", "pliCount")
        last = None
        for _ in range(switches):
            last = random.choice([choice for choice in case.choices() if choice != last])
            await chooser.choose(*last)
            await asyncio.sleep(REST_S)
        await chooser.width()
        Seen(chooser.frames).check_picture(BACK_MS if uplink else 0)
        assert await viewer.call("sumStats", "inbound-rtp", "pliCount") == asked, "the viewer's decoder was lost"
        # One pause may be longer: a busy machine makes some of its own.
        second, longest = longest_pauses_ms(chooser.frames)
        assert second < PAUSE_MS + steady_ms, (second, steady_ms)
        assert longest < 1000 + steady_ms, (longest, steady_ms)
        await until(chooser.layers, lambda layers: layers == case.layers(), SWITCH_S)
        await chooser.choose({"temporalLayerId": 0}, WIDTHS[-1])
        lowered = await chooser.rate()
        told = await chooser.reported()
        assert told["current"] == told["target"] == as_ids((*case.layers()[-1][:2], 0))
        await chooser.choose(HIGHEST, WIDTHS[-1])
        await until(chooser.rate, lambda rate: lowered < 0.5 * rate, RATE_S)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_layers_go_up_and_down_without_a_pause(server: Server, browser: Browser, room: str, case: Case) -> None:
    await go_up_and_down(server, browser, room, case, SWITCHES)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_layers_go_up_and_down_over_a_bad_uplink(server: Server, browser: Browser, room: str, case: Case) -> None:
    async with Relay(BAD_UPLINK, least_kbps=1500) as uplink:
        await go_up_and_down(server, browser, room, case, BAD_SWITCHES, uplink)
        for happened in (uplink.lost, uplink.reordered, uplink.doubled):
            assert happened["up", "video"] > 0
        await browser.close_pages()
