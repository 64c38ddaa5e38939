"""The pages in a real Chromium, against a server within the page: what a person sees when all is well, and when not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import ConsoleMessage, Page, expect

from ci.support.browser import Browser
from fanwire.control.http.api import create_app
from fanwire.control.http.contract import Joined, SignalingSession
from fanwire.control.rooms.errors import NothingPublished, SessionNotFound
from fanwire.control.rooms.policy import Permit

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVER_SCRIPT = Path(__file__).with_name("pages_server.js").read_text()

Open = Callable[..., Awaitable[Page]]


class EmptyRooms:
    """Rooms in which nobody ever publishes."""

    async def publish(
        self, room: str, offer: str, /, *, identity: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        raise AssertionError("the pages publish to the server within them")

    async def subscribe(
        self, room: str, offer: str, /, *, publisher: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        raise NothingPublished(room, publisher)

    def session(self, session_id: str, /) -> SignalingSession:
        raise SessionNotFound


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def origin() -> AsyncIterator[str]:
    runner = web.AppRunner(create_app(EmptyRooms()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def open_page(browser: Browser, origin: str) -> Iterator[Open]:
    """Opens a page of ours after running `script` in it; the test fails if a page throws or breaks its own policy."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    async def open_page(path: str, script: str = "") -> Page:
        page = await browser.context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        await page.add_init_script(SERVER_SCRIPT)
        await page.add_init_script(script)
        await page.goto(origin + path)
        return page

    yield open_page
    assert complaints == []


def fail_camera(name: str) -> str:
    return f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}'); }};"


async def requests(page: Page) -> list[list[str]]:
    return list(await page.evaluate("server.requests"))


async def publish_test_card(page: Page) -> None:
    await page.get_by_text("Test card", exact=True).click()
    await page.get_by_role("button", name="Start publishing").click()


async def test_the_start_page_leads_to_a_room_with_an_allowed_name(open_page: Open, origin: str) -> None:
    page = await open_page("/")
    room = page.get_by_label("Room name")
    await room.fill("no spaces")
    await page.get_by_role("button", name="Watch").click()
    await expect(page).to_have_url(f"{origin}/")
    await room.fill("main-stage")
    await page.get_by_role("button", name="Watch").click()
    await expect(page).to_have_url(f"{origin}/watch/main-stage")


async def test_an_address_that_cannot_be_is_explained_on_a_page(open_page: Open) -> None:
    page = await open_page("/publish/no%20spaces")
    await expect(page.get_by_role("heading")).to_have_text("The room name is not allowed")
    await page.get_by_role("link", name="start page").click()
    await expect(page.get_by_label("Room name")).to_be_visible()


async def test_a_viewer_who_comes_early_waits_and_starts_without_doing_anything(open_page: Open) -> None:
    page = await open_page("/watch/stage", "server.answering = false")
    await expect(page.locator("#cover-title")).to_have_text("Nobody is publishing yet")
    await page.evaluate("server.answering = true")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(page.locator("#cover")).to_be_hidden()
    assert await page.evaluate("document.querySelector('video').videoWidth") == 160


async def test_a_viewer_sees_that_the_publisher_has_paused_and_is_back(open_page: Open) -> None:
    page = await open_page("/watch/stage?publisher=ann")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(page.locator(".tile", has_text="Codec")).to_contain_text("VP8")
    await expect(page.locator(".tile", has_text="Bit rate")).to_contain_text("bit/s")
    await page.evaluate(
        """async () => {
            window.senders = server.peers.at(-1).getSenders();
            window.tracks = senders.map((sender) => sender.track);
            await Promise.all(senders.map((sender) => sender.replaceTrack(null)));
        }"""
    )
    await expect(page.locator("#status")).to_have_text("Paused", timeout=10_000)
    await page.evaluate("Promise.all(senders.map((sender, index) => sender.replaceTrack(tracks[index])))")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    assert (await requests(page))[0] == ["POST", "/whep/stage?publisher=ann", None]


async def test_a_browser_that_forbids_sound_shows_the_picture_and_offers_the_sound(open_page: Open) -> None:
    page = await open_page(
        "/watch/stage",
        """const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            return this.muted ? play.call(this) : Promise.reject(new DOMException("no", "NotAllowedError"));
        };""",
    )
    button = page.get_by_role("button", name="Turn on sound").and_(page.locator("#unmute"))
    await expect(button).to_be_visible(timeout=10_000)
    await expect(page.locator("#status")).to_have_text("Live")
    await button.click()
    await expect(button).to_be_hidden()
    assert await page.evaluate("document.querySelector('video').muted") is False


async def test_publishing_is_one_click_and_the_source_can_be_changed_while_live(open_page: Open) -> None:
    page = await open_page("/publish/stage?identity=ann")
    await publish_test_card(page)
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(page.locator(".tile", has_text="Picture")).to_contain_text(re.compile(r"\d"), timeout=10_000)
    before = await page.evaluate("fanwire.pc.getSenders()[1].track.id")
    await page.get_by_text("Camera", exact=True).first.click()
    await page.wait_for_function("before => fanwire.pc.getSenders()[1].track.id !== before", arg=before)
    await page.get_by_role("button", name="Mute sound").click()
    assert await page.evaluate("fanwire.pc.getSenders()[0].track.enabled") is False
    await page.get_by_role("button", name="Stop publishing").click()
    await expect(page.locator("#status")).to_have_text("Not publishing")
    seen = await requests(page)
    assert seen[0] == ["POST", "/whip/stage?identity=ann", None]
    assert [method for method, *_ in seen].count("POST") == 1
    assert seen[-1] == ["DELETE", "/whip/stage/1", None]
    assert (await page.get_by_label("Address of the watch page").input_value()).endswith("/watch/stage?publisher=ann")


async def test_candidates_follow_the_offer_under_its_etag_and_ice_servers_are_used(open_page: Open) -> None:
    page = await open_page("/publish/stage")
    await publish_test_card(page)
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await page.wait_for_function("() => server.requests.some(([method]) => method === 'PATCH')")
    assert ["PATCH", "/whip/stage/1", '"first-1"'] in await requests(page)
    servers = await page.evaluate("fanwire.pc.getConfiguration().iceServers")
    assert [server["urls"] for server in servers] == [["stun:127.0.0.1:9"], ["turn:127.0.0.1:9"]]
    assert (servers[1]["username"], servers[1]["credential"]) == ('a"b', "c")


@pytest.mark.parametrize(
    ("script", "title"),
    [
        (fail_camera("NotAllowedError"), "The camera or microphone is blocked"),
        (fail_camera("NotFoundError"), "No camera was found"),
        (fail_camera("NotReadableError"), "The camera or microphone is in use"),
        (
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });",
            "This page may not use your camera or screen",
        ),
    ],
)
async def test_a_camera_that_cannot_be_opened_is_explained(open_page: Open, script: str, title: str) -> None:
    page = await open_page("/publish/stage", script)
    await page.get_by_role("button", name="Start publishing").click()
    await expect(page.get_by_role("alert").locator("strong")).to_have_text(title)
    assert await requests(page) == []
    await publish_test_card(page)
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_a_source_that_fails_while_live_leaves_the_old_one_on_air(open_page: Open) -> None:
    page = await open_page("/publish/stage", fail_camera("NotReadableError"))
    await publish_test_card(page)
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await page.get_by_text("Camera", exact=True).first.click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Test card")).to_be_checked()
    assert await page.evaluate("fanwire.pc.getSenders()[1].track.readyState") == "live"


async def test_a_server_out_of_reach_is_tried_until_it_is_back(open_page: Open) -> None:
    page = await open_page("/publish/stage", "server.reachable = false")
    await publish_test_card(page)
    await expect(page.get_by_role("alert").locator("strong")).to_have_text("The server cannot be reached")
    await page.evaluate("server.reachable = true")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_blocked_udp_is_named_as_the_likely_cause(open_page: Open) -> None:
    # Playwright's clock would stay in the browser, and bend the time of every test after this one.
    impatient = (
        "const wait = window.setTimeout; window.setTimeout = (then, ms, ...rest) => wait(then, ms / 50, ...rest);"
    )
    page = await open_page("/watch/stage", f"server.deaf = true; {impatient}")
    await expect(page.locator("#cover-title")).to_have_text("The network lets no video through")


LOSE_PATH = """() => {
    window.lost = fanwire.pc;
    Object.defineProperty(lost, "connectionState", { configurable: true, value: "disconnected" });
    lost.dispatchEvent(new Event("connectionstatechange"));
}"""


async def test_a_lost_path_is_found_again_by_an_ice_restart_of_the_same_session(open_page: Open) -> None:
    page = await open_page("/watch/stage")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    ufrag = "fanwire.pc.{}Description.sdp.match(/ice-ufrag:(.*)/)[1]"
    before = [await page.evaluate(ufrag.format(side)) for side in ("local", "remote")]
    await page.evaluate(LOSE_PATH)
    await expect(page.locator("#status")).to_have_text("Reconnecting")
    await page.wait_for_function("() => server.requests.some(([, , match]) => match === '*')", timeout=10_000)
    await page.evaluate("delete lost.connectionState; lost.dispatchEvent(new Event('connectionstatechange'))")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    assert await page.evaluate("fanwire.pc === lost")
    after = [await page.evaluate(ufrag.format(side)) for side in ("local", "remote")]
    assert before[0] != after[0]
    assert before[1] != after[1]
    await page.wait_for_function("""() => server.requests.some(([, , match]) => match === '"second"')""")


async def test_a_session_that_the_server_has_ended_is_replaced_by_a_new_one(open_page: Open) -> None:
    page = await open_page("/watch/stage")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    await page.evaluate("server.hasSession = false")
    await page.evaluate(LOSE_PATH)
    await page.wait_for_function("() => server.peers.length === 2", timeout=10_000)
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    assert await page.evaluate("fanwire.pc !== lost")


async def test_a_page_that_is_left_ends_its_session(open_page: Open, origin: str) -> None:
    page = await open_page("/watch/stage")
    await expect(page.locator("#status")).to_have_text("Live", timeout=10_000)
    # Added last, so called last.
    await page.evaluate(
        "addEventListener('pagehide', () => { sessionStorage.seen = JSON.stringify(server.requests); })"
    )
    await page.goto(f"{origin}/")
    assert ["DELETE", "/whep/stage/1", None] in await page.evaluate("JSON.parse(sessionStorage.seen)")


@pytest.mark.parametrize("path", ["/", "/publish/stage", "/watch/stage"])
async def test_every_control_has_a_name_for_those_who_cannot_see_it(open_page: Open, path: str) -> None:
    page = await open_page(path)
    if path.startswith("/publish"):
        await page.get_by_text("Quality and name").click()
    controls = await page.locator("body").aria_snapshot()
    assert re.findall(r"- (?:button|checkbox|combobox|link|meter|radio|slider|textbox)\b(?! \").*", controls) == []


async def test_nothing_runs_off_a_narrow_screen(open_page: Open) -> None:
    for path in ("/", "/publish/a-room-with-quite-a-long-name-for-a-phone", "/watch/a-room-with-quite-a-long-name"):
        page = await open_page(path)
        await page.set_viewport_size({"width": 320, "height": 640})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
