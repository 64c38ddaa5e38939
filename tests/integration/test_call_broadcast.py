"""One browser publishes and others watch: what they see and hear is the publisher's, live."""

from __future__ import annotations

import pytest

from ci.support.browser import Browser
from ci.support.peers import Publisher, Viewer, watch_all
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9", "AV1"])
async def test_three_viewers_see_and_hear_the_publisher(
    server: Server, browser: Browser, room: str, codec: str
) -> None:
    await Publisher.join(browser, server.whip(room), codec=codec, sound=TONE_HZ)
    viewers = [await Viewer.join(browser, server.whep(room)) for _ in range(3)]
    for viewer in viewers:
        await viewer.wait_until_live()
    for seen in await watch_all(viewers, seconds=3):
        seen.check_picture()
        seen.check_tone(TONE_HZ)


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9"])  # AV1 is cut into equal packets and a shorter last one
async def test_decoders_do_not_mind_that_packets_are_padded_to_one_size(
    server: Server, browser: Browser, room: str, codec: str
) -> None:
    await Publisher.join(browser, server.whip(room), codec=codec, width=1280, height=720, noise=True)
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    before = await server.counter("padded_out")
    (await viewer.watch(3)).check_picture()
    assert await server.counter("padded_out") > before


async def test_a_late_viewer_sees_a_picture_within_a_second(server: Server, browser: Browser, room: str) -> None:
    await Publisher.join(browser, server.whip(room))
    early = await Viewer.join(browser, server.whep(room))
    await early.wait_until_live()
    for _ in range(5):  # in a row: more often than keyframes may be asked for
        late = await Viewer.join(browser, server.whep(room))
        assert await late.first_picture_ms() < 1000
        await late.close()
    (await early.watch(1)).check_picture()


async def test_viewers_see_the_highest_simulcast_layer(server: Server, browser: Browser, room: str) -> None:
    layers = [{"rid": "q", "scaleResolutionDownBy": 4}, {"rid": "h", "scaleResolutionDownBy": 2}, {"rid": "f"}]
    await Publisher.join(browser, server.whip(room), width=960, height=720, encodings=layers)
    viewer = await Viewer.join(browser, server.whep(room))
    # The publisher's browser adds layers as its estimate of the network grows: soon, but not on a busy machine.
    await until(lambda: viewer.watch(1), lambda seen: seen.widths == {960}, timeout_s=40)
    seen = await viewer.watch(2)
    seen.check_picture()
    assert seen.widths == {960}


async def test_viewers_on_every_worker_see_the_same_picture(browser: Browser, room: str) -> None:
    async with Server(workers=3) as server:
        await Publisher.join(browser, server.whip(room), sound=TONE_HZ)
        viewers = [await Viewer.join(browser, server.whep(room)) for _ in range(6)]
        ports = set.union(*[await viewer.answered_ports() for viewer in viewers])
        assert ports == {server.udp_port, server.udp_port + 1, server.udp_port + 2}
        for viewer in viewers:
            await viewer.wait_until_live()
        all_seen = await watch_all(viewers, seconds=3)
        for seen in all_seen:
            seen.check_picture()
            seen.check_tone(TONE_HZ)
        shown_to_all = set.intersection(*(set(seen.stamps) for seen in all_seen))
        assert len(shown_to_all) >= 15, "they do not see the same frames"
        await browser.close_pages()


async def test_a_call_over_ipv6(browser: Browser, room: str) -> None:
    async with Server(udp_host="::1") as server:
        await Publisher.join(browser, server.whip(room), sound=TONE_HZ)
        viewer = await Viewer.join(browser, server.whep(room))
        await viewer.wait_until_live()
        seen = await viewer.watch(2)
        seen.check_picture()
        seen.check_tone(TONE_HZ)
        await browser.close_pages()
