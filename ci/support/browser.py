"""Runs one headless browser whose pages are the peers of a test."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from playwright.async_api import BrowserContext, Page, Playwright, async_playwright

CHROMIUM = os.environ.get("FANWIRE_CHROMIUM") or shutil.which("chromium", path=f"{sys.prefix}/bin:{os.defpath}")
FIREFOX = shutil.which("firefox", path=f"{sys.prefix}/bin")  # linked by ci/setup
# Mozilla's Firefox build needs another driver than the Firefox build of Playwright.
FIREFOX_CHANNEL = "moz-firefox" if FIREFOX and Path(FIREFOX).resolve().name == "firefox-esr" else None
WEB = Path(__file__).with_name("web")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
PREFERENCES: dict[str, str | float | bool] = {
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.navigator.audio.fake_frequency": 440,
    "media.autoplay.default": 0,
    "media.peerconnection.video.lock_scaling": True,  # keeps the requested sizes on a busy machine
    # H.264 by the system's libavcodec: Mozilla's plugin for it is downloaded. Watching only: its encoder is 1.3 s late.
    "gfx.blacklist.webrtc.hw.acceleration.h264": 1,
    "media.webrtc.hw.h264.enabled": True,
}

Launch = Callable[[Playwright, str], Awaitable[BrowserContext]]


async def chromium(playwright: Playwright, profile: str) -> BrowserContext:
    """Starts Chromium with a folder for its profile."""
    return await playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, headless=True, args=FLAGS
    )


async def firefox(playwright: Playwright, profile: str) -> BrowserContext:
    """Starts Firefox. It uses loopback for calls only if the default route is loopback: ci/support/network.py."""
    assert FIREFOX is not None, "there is no Firefox: run ci/setup test"
    return await playwright.firefox.launch_persistent_context(
        profile,
        channel=FIREFOX_CHANNEL,
        executable_path=FIREFOX,
        headless=True,
        firefox_user_prefs=PREFERENCES,
    )


class Browser:
    """One browser and a web server on loopback for the test pages (ci/support/web)."""

    def __init__(self, launch: Launch = chromium) -> None:
        self._launch = launch

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._origin = await _serve_pages(stack)
            profile = stack.enter_context(tempfile.TemporaryDirectory(prefix="fanwire-browser-"))
            playwright = await stack.enter_async_context(async_playwright())
            self.context = await self._launch(playwright, profile)
            stack.push_async_callback(self.context.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def open(self, url: str | None = None) -> Page:
        """Opens `url`, or the test page, in a new tab; errors of the page go to our output."""
        page = await self.context.new_page()
        page.on("console", lambda message: print(f"[{page.url}] {message.text}"))
        page.on("pageerror", lambda error: print(f"[{page.url}] {error}"))
        await page.goto(url or f"{self._origin}/index.html")
        return page

    async def close_pages(self) -> None:
        """Closes every tab, and so all peers of a test, also after a failure."""
        for page in self.context.pages:
            await page.close()


async def _serve_pages(stack: AsyncExitStack) -> str:
    application = web.Application()
    application.router.add_static("/", WEB)
    runner = web.AppRunner(application)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
