"""The numbers of the server: statistics of sessions, lists in pages, metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from ci.support import offers
from ci.support.aiortc_peer import AiortcPeer
from ci.support.crowd import Crowd
from ci.support.server import Server
from fanwire.control.media.engine import Engine, EngineConfig

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        yield client


async def get(http: aiohttp.ClientSession, server: Server, path: str) -> Any:
    async with http.get(f"{server.url}/api/v1{path}") as response:
        return await response.json()


async def test_a_call_shows_in_the_statistics_under_webrtcs_names(
    server: Server, http: aiohttp.ClientSession, room: str
) -> None:
    async with AiortcPeer() as publisher, AiortcPeer() as viewer:
        await publisher.publish(server.whip(room) + "?identity=ann", codec="VP8", tone_hz=440)
        await viewer.watch(server.whep(room))
        await viewer.look_and_listen(4)
        shown = {"name": room, "publishers": 1, "viewers": 1, "newestPublisher": "ann"}
        assert await get(http, server, f"/rooms/{room}") == shown
        sessions = (await get(http, server, f"/sessions?room={room}"))["sessions"]
        assert {(session["kind"], session["identity"], session["state"]) for session in sessions} == {
            ("publish", "ann", "keyed"),
            ("subscribe", None, "keyed"),
        }
        stats = {}
        # The viewer first: what it was sent the publisher has sent before.
        for session in sorted(sessions, key=lambda session: session["kind"], reverse=True):
            found = (await get(http, server, f"/sessions/{session['id']}"))["stats"]
            stats[session["kind"]] = {(one["type"], one.get("kind")): one for one in found}
            assert len({one["id"] for one in found}) == len(found)
    for found in stats.values():
        assert found["transport", None]["dtlsState"] == "connected"
        assert found["transport", None]["srtpCipher"]
        assert 0 <= found["local-candidate", None]["port"] - server.udp_port < 64
        assert found["remote-candidate", None]["protocol"] == "udp"
    video, sound = (stats["publish"]["inbound-rtp", kind] for kind in ("video", "audio"))
    assert (video["mimeType"], sound["mimeType"]) == ("video/VP8", "audio/OPUS")
    assert video["packetsReceived"] > 50
    assert video["bytesReceived"] > video["packetsReceived"] * 50
    assert video["keyFramesReceived"] >= 1
    assert (video["frameWidth"], video["frameHeight"]) > (0, 0)
    assert 100 < sound["packetsReceived"] < 500
    assert 0 <= sound["jitter"] < 0.2
    sent, reported = (stats["subscribe"][name, "video"] for name in ("outbound-rtp", "remote-inbound-rtp"))
    assert 50 < sent["packetsSent"] <= video["packetsReceived"]
    assert reported["localId"] == sent["id"]
    assert (reported["packetsLost"], reported["fractionLost"]) == (0, 0)
    assert 0 < reported["roundTripTime"] < 0.5


async def test_lists_come_in_pages_that_miss_nothing(http: aiohttp.ClientSession) -> None:
    async with Server() as server, Crowd() as crowd:
        names = sorted(f"room-{i}" for i in range(7))
        for name in names:
            await crowd.publish(server.whip(name), rate_bps=100_000)
        for things, key in (("rooms", "name"), ("sessions", "id")):
            found: list[str] = []
            following: str | None = ""
            while following is not None:
                page = await get(http, server, f"/{things}?limit=3&after={following}")
                assert len(page[things]) <= 3
                found += [thing[key] for thing in page[things]]
                following = page["next"]
            assert len(found) == 7
            assert found == sorted(set(found))
            if things == "rooms":
                assert found == names
        async with aiohttp.ClientSession() as unsure:
            for limit in ("0", "1001", "many", "-1"):
                assert (await unsure.get(f"{server.url}/api/v1/rooms?limit={limit}")).status == 400


async def test_a_session_can_be_ended_through_the_api(server: Server, http: aiohttp.ClientSession, room: str) -> None:
    await http.post(server.whip(room), data=offers.text("aiortc-publish"), headers=SDP)
    (session,) = (await get(http, server, f"/sessions?room={room}"))["sessions"]
    url = f"{server.url}/api/v1/sessions/{session['id']}"
    assert (await http.delete(url)).status == 204
    async with aiohttp.ClientSession() as unsure:
        for gone in (url, f"{server.url}/api/v1/rooms/{room}"):
            assert (await unsure.get(gone)).status == 404


async def test_metrics_hold_every_counter_of_every_worker_and_no_one_in_particular(http: aiohttp.ClientSession) -> None:
    async with Engine(EngineConfig(udp=[[("127.0.0.1", 0)]])) as engine:
        (names,) = (set(numbers.counters) for numbers in engine.counters())
    async with Server(workers=2) as server:
        await http.post(server.whip("secret-room?identity=ann"), data=offers.text("aiortc-publish"), headers=SDP)
        async with http.get(f"{server.url}/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = await response.text()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = [sample for family in families.values() for sample in family.samples]
    dropped = {
        (sample.labels["worker"], sample.labels["reason"])
        for sample in families["fanwire_dropped"].samples
        if sample.name == "fanwire_dropped_total"
    }
    for worker in ("0", "1"):
        told = {f"drop_{reason}" for which, reason in dropped if which == worker}
        told |= {reason for which, reason in dropped if which == worker}
        told |= {
            sample.name.removeprefix("fanwire_worker_").removesuffix("_total")
            for sample in samples
            if sample.name.startswith("fanwire_worker_") and sample.labels["worker"] == worker
        }
        assert names <= told
    values = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    assert values["fanwire_rooms",] == 0  # without media
    assert values["fanwire_sessions", "publish"] == 1
    assert values["fanwire_sessions_opened_total", "publish"] == 1
    assert values["fanwire_transports", "new"] == 1
    assert values["process_open_fds",] > 5
    assert {label for sample in samples if sample.name.startswith("fanwire_") for label in sample.labels} == {
        *("worker", "reason", "kind", "state", "le", "backend", "version", "why")
    }
    assert values["fanwire_forward_seconds_count", "0"] == 0  # nothing has been forwarded
    assert "secret-room" not in text
    assert "ann" not in text.replace("cannot", "")
