"""The server's own pages, used as a person uses them: one tab publishes the test card, another watches."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from ci.support.browser import Browser
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The colour at the second of the test card's seven bars, which is yellow, and the time the video has played, in s.
LOOK = """video => {
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    context.drawImage(video, video.videoWidth * 1.5 / 7, video.videoHeight * 0.1, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3), video.currentTime];
}"""


async def test_the_pages_publish_and_watch(server: Server, browser: Browser, room: str) -> None:
    watching = await browser.open(f"{server.url}/watch/{room}")
    await expect(watching.locator("#status")).to_have_text("Waiting")

    publishing = await browser.open(f"{server.url}/publish/{room}")
    await publishing.get_by_text("Test card", exact=True).click()
    await publishing.get_by_role("button", name="Start publishing").click()
    await expect(publishing.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(watching.locator("#status")).to_have_text("Live", timeout=15_000)
    await see_the_test_card(watching)

    await publishing.get_by_role("button", name="Stop publishing").click()
    await expect(watching.locator("#status")).to_have_text("Paused", timeout=10_000)
    await publishing.get_by_role("button", name="Start publishing").click()
    await expect(watching.locator("#status")).to_have_text("Live", timeout=15_000)
    await see_the_test_card(watching)


async def see_the_test_card(page: Page) -> None:
    """Waits until yellow is where it should be, and the video plays."""

    async def look() -> tuple[list[float], float]:
        *colour, played_s = await page.locator("video").evaluate(LOOK)
        return colour, played_s

    def is_yellow(seen: tuple[list[float], float]) -> bool:
        red, green, blue = seen[0]
        return red > 140 and green > 140 and blue < 80

    _, earlier_s = await until(look, is_yellow, timeout_s=5)
    await until(look, lambda seen: is_yellow(seen) and seen[1] > earlier_s + 1, timeout_s=5)
