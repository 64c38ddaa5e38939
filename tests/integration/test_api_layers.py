"""Layers chosen over HTTP, and what viewers are told of them, with a real server and simulcast from Chromium."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from ci.support import offers
from ci.support.browser import Browser
from ci.support.crowd import Crowd
from ci.support.peers import Publisher, Viewer
from ci.support.server import Server
from ci.support.waiting import until
from fanwire.control.http.tokens import mint

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}
CORE = "urn:ietf:params:whep:ext:core"
ENCODINGS = [
    {"rid": "q", "scaleResolutionDownBy": 4, "maxBitrate": 100_000},
    {"rid": "h", "scaleResolutionDownBy": 2, "maxBitrate": 250_000},
    {"rid": "f", "scaleResolutionDownBy": 1, "maxBitrate": 600_000},
]
WIDTHS = {"q": 240, "h": 480, "f": 960}  # Chromium sends three encodings from this size on
SWITCH_S = 15  # on a busy machine
START_S = 60  # until the publisher's estimate of the network has grown to the highest


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


class Events:
    """The events of a stream as they come; `newest` has the data of each."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.newest: dict[str, Any] = {}
        self.names: list[str] = []

    async def until(self, accept: Callable[[Events], bool], timeout_s: float = SWITCH_S) -> None:
        """Reads until `accept` is true of what has come."""
        async with asyncio.timeout(timeout_s):
            while not accept(self):
                await self._read()

    async def end(self) -> None:
        """Reads until the server ends the stream."""
        async with asyncio.timeout(SWITCH_S):
            while not self._response.content.at_eof():
                await self._read()

    async def _read(self) -> None:
        name = None
        while (line := await self._response.content.readline()).strip():
            field, _, value = line.decode().strip().partition(": ")
            if field == "event":
                name = value
                self.names.append(value)
            elif field == "data" and name is not None:
                self.newest[name] = json.loads(value)

    @property
    def flowing(self) -> str | None:
        """The encoding that flows."""
        current = self.newest.get("layers", {}).get("1", {}).get("current", {})
        return str(current["encodingId"]) if "encodingId" in current else None


@asynccontextmanager
async def listen(http: aiohttp.ClientSession, resource: str, *names: str) -> AsyncIterator[Events]:
    """An event stream of the session at `resource`, made and read as a player does."""
    async with http.post(f"{resource}/sse", json=names) as created:
        assert created.status == 201
        location = str(created.url.origin()) + created.headers["Location"]
    async with http.get(location, headers={"Accept": "text/event-stream"}) as response:
        assert response.content_type == "text/event-stream"
        yield Events(response)


def flows(encoding: str) -> Callable[[Events], bool]:
    return lambda now: now.flowing == encoding


async def shows(viewer: Viewer, encoding: str) -> None:
    """Waits until the viewer sees the size of this encoding."""

    async def width() -> int | None:
        seen = await viewer.drain()
        return seen.frames[-1].width if seen.frames else None

    await until(width, lambda found: found == WIDTHS[encoding], timeout_s=SWITCH_S)


async def test_layers_are_chosen_by_the_viewer_and_by_the_admin_and_told(
    server: Server, browser: Browser, http: aiohttp.ClientSession, room: str
) -> None:
    publisher = await Publisher.join(
        browser, server.whip(room), codec="VP8", encodings=ENCODINGS, width=960, height=540
    )
    viewer = await Viewer.join(browser, server.whep(room))
    resource = await viewer.resource()
    session = f"{server.url}/api/v1/sessions/{resource.rpartition('/')[2]}"
    async with listen(http, resource, "layers", "active", "inactive", "viewercount") as events:
        await events.until(lambda now: now.flowing == "f", timeout_s=START_S)
        assert events.names[0] == "active"
        assert events.newest["viewercount"] == {"viewercount": 1}
        await shows(viewer, "f")
        for encoding in ("q", "h", "f", "q"):
            async with http.post(f"{resource}/layer", json={"mediaId": "1", "encodingId": encoding}) as response:
                assert response.status == 200
            await events.until(flows(encoding))
            await shows(viewer, encoding)
        async with http.patch(session, json={"media": {"1": {"encodingId": "h"}}}) as response:
            assert (response.status, (await response.json())["media"]["1"]["preferred"]) == (200, {"encodingId": "h"})
        await events.until(lambda now: now.flowing == "h")
        async with http.post(f"{resource}/layer", json={}) as response:
            assert response.status == 200
        await events.until(lambda now: now.flowing == "f")
        medium = events.newest["layers"]["1"]
        assert {one["id"]: one["width"] for one in medium["active"]} == WIDTHS
        await events.until(lambda now: all("bitrate" in one for one in now.newest["layers"]["1"]["active"]), 10)
        await publisher.close()
        await events.until(lambda now: "inactive" in now.names)
        await viewer.close()
        await events.end()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 400, "invalid-layers"),
        ({"media": {}}, 400, "invalid-layers"),
        ({"media": {"one": {}}}, 400, "invalid-layers"),
        ({"media": {"1": "q"}}, 400, "invalid-layers"),
        ({"media": {"1": {"temporalLayerId": 9}}}, 400, "invalid-layers"),
        ({"media": {"0": {}}}, 422, "no-such-layer"),
        ({"media": {"1": {}, "7": {}}}, 422, "no-such-layer"),
        ({"media": {"1": {"encodingId": "x"}}}, 422, "no-such-layer"),
    ],
)
async def test_a_change_that_cannot_be_made_changes_nothing(
    server: Server, http: aiohttp.ClientSession, room: str, body: Any, status: int, kind: str
) -> None:
    async with Crowd() as crowd:
        await crowd.publish(server.whip(room), rate_bps=100_000)
        await crowd.watch(server.whep(room), 1)
        async with http.get(f"{server.url}/api/v1/sessions?room={room}") as response:
            sessions = (await response.json())["sessions"]
        ids = {session["kind"]: f"{server.url}/api/v1/sessions/{session['id']}" for session in sessions}
        await check_changes_nothing(http, ids["publish"], ids["subscribe"], body, status, kind)


async def check_changes_nothing(
    http: aiohttp.ClientSession, publisher: str, viewer: str, body: Any, status: int, kind: str
) -> None:
    async with http.patch(viewer, json=body) as response:
        problem = await response.json()
        assert (response.status, problem["type"]) == (status, f"urn:fanwire:problem:{kind}")
    async with http.get(viewer) as response:
        assert "preferred" not in (await response.json())["media"]["1"]
    async with http.patch(publisher, json={"media": {"1": {}}}) as response:
        assert (response.status, (await response.json())["type"]) == (409, "urn:fanwire:problem:not-a-viewer")


async def test_the_owner_alone_chooses_and_the_address_alone_reads(http: aiohttp.ClientSession) -> None:
    key = "k" * 32

    def token(sub: str, **grants: bool) -> str:
        return mint({"main": key}, sub, room="stage", grants=grants, ttl_s=600)

    def bearer(sub: str, **grants: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(sub, **grants)}"}

    ann, bob, root = bearer("ann", publish=True, subscribe=True), bearer("bob", subscribe=True), bearer("r", admin=True)
    everything = token("ann", publish=True, subscribe=True, admin=True)
    async with Server(f"--keys=main:{key}") as server, Crowd(token=everything) as crowd:
        await crowd.publish(server.whip("stage"), rate_bps=100_000)
        created = await http.post(server.whep("stage"), data=offers.text("aiortc-subscribe"), headers=SDP | ann)
        links = {link["rel"]: str(link["url"]) for link in created.links.values()}
        refused = await http.post(links[f"{CORE}:server-sent-events"], json=["active"], headers=ann)
        assert (refused.status, (await refused.json())["type"]) == (409, "urn:fanwire:problem:not-connected")
        (viewer,) = await crowd.watch(server.whep("stage"), 1)
        layer, sse = f"{viewer.resource}/layer", f"{viewer.resource}/sse"
        assert links[f"{CORE}:layer"] == f"{server.url}{created.headers['Location']}/layer"
        for headers, status in (({}, 401), (bob, 403), (root, 403), (ann, 200)):
            assert (await http.post(layer, json={}, headers=headers)).status == status
            made = await http.post(sse, json=["active"], headers=headers)
            assert made.status == (201 if status == 200 else status)
        session = f"{server.url}/api/v1/sessions/{viewer.resource.rpartition('/')[2]}"
        for headers, status in (({}, 401), (ann, 403), (root, 200)):
            assert (await http.patch(session, json={"media": {"1": None}}, headers=headers)).status == status
        address = server.url + made.headers["Location"]
        async with http.get(address) as response:
            events = Events(response)
            await events.until(lambda now: now.names == ["active"])
            assert (await http.get(f"{address}x")).status == 404
            assert (await http.delete(address)).status == 204
            await events.end()
        assert (await http.get(address)).status == 404


@pytest.mark.parametrize(
    ("codec", "encodings"),
    [
        ("VP8", ENCODINGS),
        ("VP9", [{"scalabilityMode": "L3T3_KEY", "maxBitrate": 900_000}]),
        ("AV1", [{"scalabilityMode": "L3T3", "maxBitrate": 900_000}]),
    ],
)
async def test_a_viewer_chooses_on_the_watch_page(
    server: Server, browser: Browser, room: str, codec: str, encodings: list[dict[str, Any]]
) -> None:
    # VP9's encoder draws odd sizes up to even ones, and tells of odd ones.
    await Publisher.join(browser, server.whip(room), codec=codec, encodings=encodings, width=960, height=544)
    page = await browser.open(f"{server.url}/watch/{room}")
    menu = page.get_by_label("Size of the picture")
    sizes = [f"{width} \N{MULTIPLICATION SIGN} {width * 17 // 30}" for width in (960, 480, 240)]
    await expect(menu.locator("option")).to_have_text(["Highest", *sizes], timeout=START_S * 1000)
    picture = page.locator(".tile", has_text="Picture")
    for choice, shown in ((sizes[2], sizes[2]), (sizes[1], sizes[1]), ("Highest", sizes[0])):
        await page.locator("#stage").hover()
        await menu.select_option(choice)
        await expect(picture).to_contain_text(shown, timeout=SWITCH_S * 1000)
    rates = page.get_by_label("Pictures per second")
    await expect(rates.locator("option")).to_have_text(["Every picture", "Fewer pictures", "Fewest pictures"])
    await rates.select_option("Fewest pictures")
    await menu.select_option(sizes[1])
    await expect(picture).to_contain_text(sizes[1], timeout=SWITCH_S * 1000)
    await expect(page.locator(".tile", has_text="Frames")).to_contain_text(re.compile("Frames[2-8] per s"))
