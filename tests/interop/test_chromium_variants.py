"""Chromium with unusual settings, and a publisher that changes what it sends in mid-call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from ci.support.browser import Browser
from ci.support.peers import Publisher, Viewer, watch_all
from ci.support.seen import Seen
from ci.support.server import Server
from ci.support.variants import Variant
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440
_CODECS = """
const prefer = (kind, wanted) => {
  const { codecs } = RTCRtpSender.getCapabilities(kind);
  const rest = codecs.filter((codec) => !wanted(codec));
  const transceiver = connection.getTransceivers().find(({ sender }) => sender.track?.kind === kind);
  transceiver.setCodecPreferences([...codecs.filter(wanted), ...rest]);
};
"""
OFFERS = {
    "both-ways-and-data": Variant(
        {"bundlePolicy": "balanced"},
        """
        connection.createDataChannel("chat");
        for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
        """,
    ),
    "red-and-h264-of-mode-0": Variant(
        prepare=_CODECS
        + """
        prefer("audio", ({ mimeType }) => mimeType === "audio/red");
        prefer("video", ({ mimeType, sdpFmtpLine }) => mimeType === "video/H264" && /mode=0/.test(sdpFmtpLine));
        """
    ),
    "stereo-with-pauses-and-vp9-of-all-codecs": Variant(
        prepare=_CODECS
        + """
        prefer("video", ({ mimeType }) => mimeType === "video/VP9");
        const apply = connection.setRemoteDescription.bind(connection);
        connection.setRemoteDescription = ({ type, sdp }) => (
          apply({ type, sdp: sdp.replace("useinbandfec=1", "useinbandfec=1;usedtx=1") })
        );
        """,
        rewrite='return sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1;sprop-stereo=1");',
    ),
    "no-extensions": Variant(rewrite='return sdp.replace(/a=extmap.*\\r\\n/g, "");'),
    "no-retransmission": Variant(
        rewrite='return sdp.replace(/a=rtcp-fb:.*nack.*\\r\\n|a=(rtpmap|fmtp):.*(rtx|apt).*\\r\\n/g, "");'
    ),
    "active-without-mid-and-bundle": Variant(
        rewrite='return sdp.replace(/a=(mid|group):.*\\r\\n/g, "").replace("actpass", "active");',
        options={"sound": None},
    ),
}
LAYERS = {"VP9": "L3T3_KEY", "AV1": "L3T3"}
SIMULCAST = [{"rid": "q", "scaleResolutionDownBy": 4}, {"rid": "h", "scaleResolutionDownBy": 2}, {"rid": "f"}]


@pytest.mark.parametrize("offer", OFFERS)
async def test_an_unusual_offer_publishes_as_any_other(server: Server, browser: Browser, room: str, offer: str) -> None:
    await OFFERS[offer].publish(browser, server.whip(room))
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    seen = await viewer.watch(2)
    seen.check_picture()
    if "sound" not in OFFERS[offer].options:
        seen.check_tone(TONE_HZ)


@pytest.mark.parametrize("codec", LAYERS)
async def test_the_watch_page_shows_all_spatial_layers(server: Server, browser: Browser, room: str, codec: str) -> None:
    layers = [{"scalabilityMode": LAYERS[codec]}]
    await Publisher.join(browser, server.whip(room), codec=codec, width=640, height=480, encodings=layers)
    video = (await browser.open(f"{server.url}/watch/{room}")).locator("video")
    await until(lambda: video.evaluate(WIDTH), lambda width: bool(width == 640), timeout_s=10)
    before = await video.evaluate(FRAMES)
    await asyncio.sleep(2)
    assert await video.evaluate(FRAMES) - before > 2 * 15


async def test_av1_without_the_descriptor_is_its_lowest_spatial_layer(
    server: Server, browser: Browser, room: str
) -> None:
    layers = [{"scalabilityMode": "L3T3"}]
    await Publisher.join(browser, server.whip(room), codec="AV1", width=640, height=480, encodings=layers)
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    seen = await viewer.watch(2)
    seen.check_picture()
    assert len(widths(seen)) == 1
    assert max(widths(seen)) < 640


async def test_five_viewers_at_once_see_a_picture_within_a_second(server: Server, browser: Browser, room: str) -> None:
    publisher = await Variant().publish(browser, server.whip(room))
    await Viewer.join(browser, server.whep(room))
    pages = [await browser.open() for _ in range(5)]
    await asyncio.sleep(2)
    before = await keyframe_requests(publisher)
    viewers = [Viewer(page) for page in pages]
    for viewer in viewers:
        viewer.posted_ms = await viewer.call("watch", server.whep(room))
    for viewer in viewers:
        assert await viewer.first_picture_ms() < 1000
    assert await keyframe_requests(publisher) - before <= 3
    for seen in await watch_all(viewers, seconds=2):
        seen.check_picture()


async def test_layers_that_stop_and_come_back_only_change_the_size(server: Server, browser: Browser, room: str) -> None:
    publisher = await Variant().publish(browser, server.whip(room), width=960, height=720, encodings=SIMULCAST)
    viewer = await Viewer.join(browser, server.whep(room))
    await until(lambda: viewer.watch(1), lambda seen: widths(seen) == {960}, timeout_s=15)
    for active, width in ((("q",), 240), (("q", "h"), 480), (("q", "h", "f"), 960)):
        await viewer.drain()
        await set_active(publisher, active)
        await until(lambda: viewer.watch(0.5), partial(shows, width), timeout_s=10)
        (await viewer.watch(1)).check_picture()


async def test_tracks_that_are_muted_or_taken_away_come_back(server: Server, browser: Browser, room: str) -> None:
    publisher = await Variant().publish(browser, server.whip(room), sound=TONE_HZ)
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.wait_until_live()
    for pause, resume in ((enable("false"), enable("true")), (TAKE_AWAY, PUT_BACK)):
        await publisher.page.evaluate(pause)
        await until(lambda: viewer.watch(0.5), lambda seen: seen.audible == 0, timeout_s=5)
        await publisher.page.evaluate(resume)
        await viewer.wait_until_live()
        seen = await viewer.watch(2)
        seen.check_picture()
        seen.check_tone(TONE_HZ)


async def test_a_publisher_may_come_back_with_another_codec(server: Server, browser: Browser, room: str) -> None:
    url = f"{server.whip(room)}?identity=camera"
    publisher = await Publisher.join(browser, url, codec="VP8")
    viewer = await Viewer.join(browser, f"{server.whep(room)}?publisher=camera")
    other = await Publisher.join(browser, f"{server.whip(room)}?identity=other", width=160, height=120)
    for codec in ("AV1", "H264", "VP9"):
        await publisher.return_to(url, codec=codec)
        await viewer.wait_until_live()
        seen = await viewer.watch(1)
        seen.check_picture()
        assert widths(seen) == {320}, "the viewer watches the other publisher"
    assert await other.close() == 200


WIDTH = "video => video.videoWidth"
FRAMES = "video => video.getVideoPlaybackQuality().totalVideoFrames"
TAKE_AWAY = """async () => {
  window.tracks = connection.getSenders().map(({ track }) => track);
  await Promise.all(connection.getSenders().map((sender) => sender.replaceTrack(null)));
}"""
PUT_BACK = "() => Promise.all(connection.getSenders().map((sender, i) => sender.replaceTrack(window.tracks[i])))"


def enable(enabled: str) -> str:
    """The script that mutes or unmutes."""
    return f"() => connection.getSenders().forEach(({{ track }}) => (track.enabled = {enabled}))"


def shows(width: int, seen: Seen) -> bool:
    return widths(seen) == {width}


async def set_active(publisher: Publisher, rids: Sequence[str]) -> None:
    """Sends these encodings only."""
    script = """async (rids) => {
      const sender = connection.getSenders().find(({ track }) => track.kind === "video");
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) encoding.active = rids.includes(encoding.rid);
      await sender.setParameters(parameters);
    }"""
    await publisher.page.evaluate(script, list(rids))


async def keyframe_requests(publisher: Publisher) -> int:
    """How often the publisher has been asked for a keyframe of its picture."""
    script = """async () => {
      const sent = [...(await connection.getStats()).values()].filter(({ type }) => type === "outbound-rtp");
      return sent.reduce((sum, { pliCount = 0, firCount = 0 }) => sum + pliCount + firCount, 0);
    }"""
    requests: int = await publisher.page.evaluate(script)
    return requests


def widths(seen: Seen) -> set[int]:
    return {frame.width for frame in seen.frames}
