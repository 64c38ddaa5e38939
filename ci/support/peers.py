"""Publishers and viewers in browser pages, over WHIP and WHEP as any client would use them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Self

import aiohttp
from playwright.async_api import Page

from .browser import Browser
from .published import wait_until_open
from .relay import Relay
from .seen import Frame, Seen
from .waiting import until


class Peer:
    """One browser tab with the test page, whose `window.peer` (ci/support/web/peer.js) makes the connection."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def call(self, name: str, *arguments: object) -> Any:
        """Calls a function of `window.peer` in the page."""
        return await self.page.evaluate("([name, values]) => window.peer[name](...values)", [name, arguments])

    async def wait_for_state(self, state: str, timeout_s: float = 10) -> None:
        """Waits for an RTCPeerConnection.connectionState."""
        await until(lambda: self.call("connectionState"), lambda current: bool(current == state), timeout_s)

    async def resource(self) -> str:
        """The URL of this peer's session on the server."""
        url: str = await self.call("resource")
        return url

    async def answered_ports(self) -> set[int]:
        """The server's UDP ports in its answer."""
        answer: str = await self.call("answer")
        return {int(port) for port in re.findall(r"^a=candidate:\S+ \d+ udp \d+ \S+ (\d+) ", answer, re.M | re.I)}

    async def close(self) -> int:
        """Ends the session with DELETE. Returns the HTTP status."""
        status: int = await self.call("close")
        return status

    async def close_page(self) -> None:
        """Closes the page and its connection without DELETE, as users do."""
        await self.page.close()

    async def kill(self) -> None:
        """Kills the page's process, without any message to the server."""
        session = await self.page.context.new_cdp_session(self.page)
        crashed = asyncio.ensure_future(self.page.wait_for_event("crash"))
        await asyncio.sleep(0)
        crash = asyncio.ensure_future(session.send("Page.crash"))
        await crashed
        crash.cancel()


class Publisher(Peer):
    """A page that publishes a barcode and a sound."""

    @classmethod
    async def join(cls, browser: Browser, url: str, relay: Relay | None = None, **options: object) -> Self:
        """Publishes to a WHIP URL: codec, encodings, width, height, sound (Hz, "beeps" or null) as in peer.js."""
        publisher = cls(await browser.open())
        if relay is not None:
            await relay.attach(publisher.page)
        await publisher.publish(url, **options)
        return publisher

    async def publish(self, url: str, **options: object) -> None:
        """Publishes from this page, which must be fresh."""
        await self.call("publish", url, options)
        await self.wait_for_state("connected")
        async with aiohttp.ClientSession() as http:
            await wait_until_open(http, url)

    async def return_to(self, url: str, **options: object) -> None:
        """Reloads the page, without DELETE, and publishes again."""
        await self.page.reload()
        await self.publish(url, **options)


class Viewer(Peer):
    """A page that watches, and measures its picture and sound."""

    posted_ms: float

    @classmethod
    async def join(cls, browser: Browser, url: str, relay: Relay | None = None, **options: object) -> Self:
        """Watches a WHEP URL; returns as soon as the server has answered."""
        viewer = cls(await browser.open())
        if relay is not None:
            await relay.attach(viewer.page)
        viewer.posted_ms = await viewer.call("watch", url, options)
        return viewer

    async def first_picture_ms(self, timeout_s: float = 10) -> float:
        """The time from the POST to the first picture shown, waiting for it."""
        shown = await until(lambda: self.call("firstShown"), lambda time_ms: time_ms is not None, timeout_s)
        return float(shown) - self.posted_ms

    async def wait_until_live(self, timeout_s: float = 10) -> None:
        """Waits for a picture that is less than a second old and moves."""
        await until(lambda: self.watch(0.5), lambda seen: seen.is_live, timeout_s, every_s=0)

    async def watch(self, seconds: float) -> Seen:
        """Watches for a while and returns the result."""
        await self.call("drain")
        await asyncio.sleep(seconds)
        return await self.drain()

    async def drain(self) -> Seen:
        """Returns the pictures and sound since the last call."""
        seen = await self.call("drain")
        frames = [Frame(f["stamp"], f["shown"], f["width"], f["height"]) for f in seen["frames"]]
        seconds, audible, cycles = (seen["sound"][key] for key in ("seconds", "audible", "cycles"))
        return Seen(
            frames,
            flashes=seen["flashes"],
            beeps=seen["beeps"],
            sound_s=seconds,
            audible=audible / seconds if seconds else 0.0,
            tone_hz=cycles / audible if audible else 0.0,
        )


async def watch_all(viewers: Sequence[Viewer], seconds: float) -> list[Seen]:
    """Lets all viewers watch over the same period. Returns the result of each."""
    return await asyncio.gather(*(viewer.watch(seconds) for viewer in viewers))
