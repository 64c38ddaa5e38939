"""Real peers accept the answers to their own offers, and send what was agreed."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from playwright.async_api import Page

from ci.support import offers
from ci.support.browser import Browser
from fanwire.control.session.sdp import EXTENSION_URIS, parse

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAMERA = "const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});"
SOUND = f"{CAMERA} pc.addTransceiver(stream.getAudioTracks()[0], {{direction: 'sendonly', streams: [stream]}});"
PREFER = """const prefer = (transceiver, name, only) => {
    const codecs = RTCRtpReceiver.getCapabilities('video').codecs;
    const chosen = codecs.filter((codec) => codec.mimeType === `video/${name}`);
    const rest = codecs.filter((codec) => only ? codec.mimeType === 'video/rtx' : !chosen.includes(codec));
    transceiver.setCodecPreferences([...chosen, ...rest]);
};"""
RIDS = "[{rid: 'l', scaleResolutionDownBy: 4}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'h'}]"


def video(encodings: str = "[{}]", prefer: str = "") -> str:
    """Adds the camera with these encodings."""
    options = f"{{direction: 'sendonly', streams: [stream], sendEncodings: {encodings}}}"
    return f"{SOUND} const camera = pc.addTransceiver(stream.getVideoTracks()[0], {options}); {prefer}"


PUBLISHING = {
    "camera": video(),
    "vp8-simulcast": video(RIDS, "prefer(camera, 'VP8', true);"),
    "h264": video(prefer="prefer(camera, 'H264', true);"),
    "vp9-svc": video("[{scalabilityMode: 'L3T3'}]", "prefer(camera, 'VP9', false);"),
    "av1-svc": video("[{scalabilityMode: 'L3T3'}]", "prefer(camera, 'AV1', false);"),
    "screen": """const stream = document.createElement('canvas').captureStream(5);
        stream.getTracks()[0].contentHint = 'detail';
        pc.addTransceiver(stream.getTracks()[0], {direction: 'sendonly', streams: [stream]});""",
    "camera-and-data": f"pc.createDataChannel('chat'); {video()}",
}


async def offer_from(page: Page, add_media: str) -> str:
    """Makes window.pc in the page; its offer."""
    script = f"""async () => {{
        {PREFER}
        const pc = window.pc = new RTCPeerConnection();
        pc.ontrack = (event) => (window.streams ??= []).push(event.streams[0].id);
        {add_media}
        await pc.setLocalDescription();
        return pc.localDescription.sdp;
    }}"""
    sdp: str = await page.evaluate(script)
    return sdp


async def accept(page: Page, answer: str) -> list[dict[str, Any]]:
    """Gives window.pc the answer; then the state of each transceiver."""
    states: list[dict[str, Any]] = await page.evaluate(
        """async (sdp) => {
            await pc.setRemoteDescription({type: 'answer', sdp});
            return pc.getTransceivers().map(({mid, currentDirection, sender}) => {
                const {encodings, headerExtensions, codecs} = sender.getParameters();
                return {mid, currentDirection, encodings, headerExtensions, codecs};
            });
        }""",
        answer,
    )
    return states


@pytest.mark.parametrize("name", PUBLISHING)
async def test_chromium_sends_just_what_the_answer_agreed_upon(browser: Browser, name: str) -> None:
    page = await browser.open()
    published = offers.publish(await offer_from(page, PUBLISHING[name]))
    states = await accept(page, published.sdp)
    senders = {state["mid"]: state for state in states if state["currentDirection"] == "sendonly"}
    assert [producer.mid for producer in published.producers] == sorted(senders)
    for producer in published.producers:
        sender = senders[producer.mid]
        assert {
            EXTENSION_URIS[entry["uri"]]: entry["id"] for entry in sender["headerExtensions"]
        } == producer.extensions
        offered = {pt for one in producer.payload_types for pt in (one.pt, one.rtx_pt) if pt is not None}
        assert {codec["payloadType"] for codec in sender["codecs"]} == offered
        assert [encoding.get("rid", "") for encoding in sender["encodings"]] == [one.rid for one in producer.encodings]
        assert all(encoding["active"] for encoding in sender["encodings"])


async def test_chromium_receives_the_tracks_that_the_answer_names(browser: Browser) -> None:
    page = await browser.open()
    source = offers.publish(offers.text("chromium-publish")).producers
    offer = await offer_from(
        page, "for (const kind of ['audio', 'video']) pc.addTransceiver(kind, {direction: 'recvonly'});"
    )
    states = await accept(page, offers.subscribe(offer, source).sdp)
    assert [state["currentDirection"] for state in states] == ["recvonly"] * 2
    assert await page.evaluate("window.streams") == ["room", "room"]


@pytest.mark.parametrize("direction", ["sendonly", "recvonly"])
async def test_aiortc_accepts_answers(direction: str) -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver(AudioStreamTrack() if direction == "sendonly" else "audio", direction)
    connection.addTransceiver(VideoStreamTrack() if direction == "sendonly" else "video", direction)
    try:
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        answer = offers.publish(offer).sdp if direction == "sendonly" else offers.subscribe(offer).sdp
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert [transceiver.currentDirection for transceiver in connection.getTransceivers()] == [direction] * 2
        assert all(not media.rejected for media in parse(answer).medias)
    finally:
        await connection.close()
