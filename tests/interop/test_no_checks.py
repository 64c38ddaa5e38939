"""Clients that send no STUN check once they are connected: their media keeps them, publishers and viewers alike."""

from __future__ import annotations

from pathlib import Path

import aioice.ice
import pytest

from ci.support.aiortc_peer import AiortcPeer
from ci.support.crowd_server import counters
from ci.support.ffmpeg_process import ffmpeg_publishing
from ci.support.server import Server
from ci.support.waiting import until
from ci.support.webrtcbin import webrtcbin

pytestmark = pytest.mark.asyncio(loop_scope="session")

TONE_HZ = 440
CONSENT_S = 5


@pytest.fixture(autouse=True)
def _no_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice checks for consent every hour, and offers the loopback."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 3600)
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


async def watch_without_checks(server: Server, viewer: AiortcPeer) -> None:
    """Media flows, no STUN comes, and the sessions are there, for more than twice the timeout."""
    await viewer.look_and_listen(2)
    before = await counters(server.url)
    await viewer.look_and_listen(2 * CONSENT_S + 2)
    after = await counters(server.url)
    assert after["stun_out"] == before["stun_out"], "no check was answered"
    assert after["transports"] == 2
    seen = await viewer.look_and_listen(2)
    seen.check_picture()
    seen.check_tone(TONE_HZ)


async def test_aiortc_without_consent_checks_publishes_and_watches(room: str) -> None:
    async with Server(f"--consent-timeout-s={CONSENT_S}") as server, AiortcPeer() as publisher, AiortcPeer() as viewer:
        await publisher.publish(server.whip(room), codec="VP8", tone_hz=TONE_HZ)
        await viewer.watch(server.whep(room))
        await watch_without_checks(server, viewer)


async def test_webrtcbin_publishes_and_watches(room: str) -> None:
    """libnice 0.1.21 sends no check once connected; its viewer reports once in some 5 s. It offers no loopback."""
    consent_s = 10
    everywhere = ("--insecure", f"--consent-timeout-s={consent_s}")
    async with Server(*everywhere, udp_host="0.0.0.0") as server, webrtcbin("publish", server.whip(room)):
        await until(lambda: counters(server.url), lambda total: total["rtp_in"] > 30, 10)
        async with webrtcbin("watch", server.whep(room)) as viewer:
            before = await counters(server.url)
            assert await viewer.packets(2 * consent_s + 2) > 100
            after = await counters(server.url)
            assert after["stun_out"] == before["stun_out"], "no check was answered"
            assert after["transports"] == 2
            assert await viewer.packets(2) > 15


async def test_ffmpeg_publishes(room: str, tmp_path: Path) -> None:
    """Its checks are rare; its viewer sends none."""
    async with (
        Server(f"--consent-timeout-s={CONSENT_S}") as server,
        ffmpeg_publishing(server.whip(room), tmp_path, TONE_HZ),
        AiortcPeer() as viewer,
    ):
        await until(lambda: counters(server.url), lambda total: total["rtp_in"] > 100, 10)
        await viewer.watch(server.whep(room))
        await viewer.look_and_listen(2 * CONSENT_S + 2)
        assert (await counters(server.url))["transports"] == 2
        seen = await viewer.look_and_listen(2)
        seen.check_picture()
        seen.check_tone(TONE_HZ)


async def test_a_silent_publisher_is_ended(room: str) -> None:
    async with Server(f"--consent-timeout-s={CONSENT_S}") as server, AiortcPeer() as publisher:
        await publisher.publish(server.whip(room), codec="VP8", tone_hz=TONE_HZ)
        await until(lambda: counters(server.url), lambda total: total["rtp_in"] > 10, 10)
        for transceiver in publisher.connection.getTransceivers():
            await transceiver.sender.stop()
            await transceiver.receiver.stop()
        await until(lambda: counters(server.url), lambda total: total["transports"] == 0, 4 * CONSENT_S)
        assert (await counters(server.url))["consent_lost"] == 1
