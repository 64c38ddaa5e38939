"""Layers switched at random between real browsers: the picture never stops, and is the one asked for.

Also where the network loses, reorders and doubles what the publisher sends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import aiohttp
import pytest

from support.browser import Browser
from support.peers import Publisher, Viewer
from support.relay import MEDIA, Impairment, Relay
from support.seen import Frame, Seen
from support.server import Server
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SWITCHES = 15
BAD_SWITCHES = 10  # over a bad uplink
REST_S = 0.7  # what was switched to is watched for this long
SWITCH_S = 3
RATE_S = 10  # until a busy machine shows all pictures again
START_S = 40  # until the publisher's estimate of the network has grown to the highest
PAUSE_MS = 700
WIDTHS = (240, 480, 960)  # Chromium sends three sizes from this one on
HIGHEST: dict[str, Any] = {}
BACK_MS = 250  # two repairs of a keyframe, when the first is lost as well
BAD_UPLINK = Impairment("up", MEDIA, loss=0.05, delay_ms=10, reorder=0.02, duplicate=0.02)


def simulcast(mode: str) -> list[dict[str, Any]]:
    """Three encodings of these widths."""
    sizes = (("q", 4, 100_000), ("h", 2, 250_000), ("f", 1, 600_000))
    return [
        {"rid": rid, "scaleResolutionDownBy": scale, "maxBitrate": bps, "scalabilityMode": mode}
        for rid, scale, bps in sizes
    ]


Layer = tuple[Any, ...]  # encoding, spatial and temporal layer; None where there is one alone


@dataclass(frozen=True)
class Case:
    """What a publisher sends; the member of a wish that chooses a width, and its values in the order of the widths."""

    codec: str
    encodings: list[dict[str, Any]]
    member: str
    values: tuple[str | int, ...]
    descriptor: bool = False  # the viewer asks for dependency descriptors

    def wishes(self) -> list[tuple[dict[str, Any], int]]:
        """Every wish that can be had, and the width that it brings."""
        rates: list[dict[str, Any]] = [{}, {"temporalLayerId": 0}]
        sizes = zip(self.values, WIDTHS, strict=True)
        return [({self.member: value} | rate, width) for value, width in sizes for rate in rates]

    def layers(self) -> list[Layer]:
        """All that there are, the highest last."""
        encodings = self.member == "encodingId"
        of = [(value, None) if encodings else ("0", value) for value in self.values]
        return [(*known, temporal) for known in of for temporal in range(3)]


RIDS = ("q", "h", "f")
CASES = {
    "vp8": Case("VP8", simulcast("L1T3"), "encodingId", RIDS),
    "vp9-svc": Case("VP9", [{"scalabilityMode": "L3T3_KEY", "maxBitrate": 900_000}], "maxSpatialLayerId", (0, 1, 2)),
    "h264": Case("H264", simulcast("L1T3"), "encodingId", RIDS),
    "av1": Case("AV1", simulcast("L1T3"), "encodingId", RIDS),
    "av1-svc": Case(
        "AV1", [{"scalabilityMode": "L3T3", "maxBitrate": 900_000}], "maxSpatialLayerId", (0, 1, 2), descriptor=True
    ),
}


class Chooser:
    """Chooses layers for a viewer as an admin does, and remembers all that the viewer was shown."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, viewer: Viewer, resource: str) -> None:
        self._http, self._viewer = http, viewer
        self._session = f"{server.url}/api/v1/sessions/{resource.rpartition('/')[2]}"
        self.frames: list[Frame] = []

    async def choose(self, wish: dict[str, Any], width: int) -> None:
        """Asks, and waits until the width is shown."""
        async with self._http.patch(self._session, json={"media": {"1": wish}}) as response:
            assert (response.status, (await response.json())["media"]["1"]["wish"]) == (200, as_told(wish))
        await until(self.width, lambda shown: shown == width, SWITCH_S)

    async def told(self) -> dict[str, Any]:
        """What the server says of the picture."""
        async with self._http.get(self._session) as response:
            medium: dict[str, Any] = (await response.json())["media"]["1"]
        return medium

    async def layers(self) -> list[Layer]:
        """What the server says that there is: encoding, spatial and temporal layer."""
        names = ("encodingId", "spatialLayerId", "temporalLayerId")
        return [tuple(map(layer.get, names)) for layer in (await self.told())["layers"]]

    async def width(self) -> int | None:
        """What is shown now."""
        self.frames += (await self._viewer.drain()).frames
        return self.frames[-1].width if self.frames else None

    async def rate(self, seconds: float = 2) -> float:
        """Pictures shown in a second."""
        seen = await self._viewer.watch(seconds)
        return len(seen.frames) / seconds


def as_told(wish: dict[str, Any]) -> dict[str, Any]:
    """An id and the highest id allowed come to the same."""
    return {name.replace("maxSpatial", "spatial"): value for name, value in wish.items()}


def as_ids(layer: Layer) -> dict[str, Any]:
    names = ("encodingId", "spatialLayerId", "temporalLayerId")
    return {name: value for name, value in zip(names, layer, strict=True) if value is not None}


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
        chooser.frames.clear()
        asked = await viewer.call("sumStats", "inbound-rtp", "pliCount")
        last = None
        for _ in range(switches):
            last = random.choice([wish for wish in case.wishes() if wish != last])
            await chooser.choose(*last)
            await asyncio.sleep(REST_S)
        await chooser.width()
        Seen(chooser.frames).check_picture(BACK_MS if uplink else 0)
        assert await viewer.call("sumStats", "inbound-rtp", "pliCount") == asked, "the viewer's decoder was lost"
        # A busy machine is forgiven one, of less than a second.
        pauses = sorted(after.shown_ms - before.shown_ms for before, after in pairwise(chooser.frames))
        assert pauses[-2] < PAUSE_MS and pauses[-1] < 1000, f"the picture stood still for {pauses[-2]:.0f} ms, and once for {pauses[-1]:.0f}"
        await until(chooser.layers, lambda layers: layers == case.layers(), SWITCH_S)
        await chooser.choose({"temporalLayerId": 0}, WIDTHS[-1])
        lowered = await chooser.rate()
        told = await chooser.told()
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
