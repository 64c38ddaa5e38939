"""Bounds: each is refused in plain words, with when to come back, and counted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from ci.support import offers
from ci.support.crowd import Crowd
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small() -> AsyncIterator[Server]:
    """A server with room for few."""
    bounds = {
        "max-sessions": 4,
        "max-sessions-per-room": 2,
        "max-rooms": 2,
        "max-media-per-session": 2,
        "max-body-bytes": 20_000,
        "max-header-bytes": 1024,
    }
    async with Server(*(f"--{name}={value}" for name, value in bounds.items())) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def refusals(http: aiohttp.ClientSession, server: Server) -> dict[str, float]:
    """How many requests the server says it has refused, by kind."""
    async with http.get(f"{server.url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        (family,) = [family for family in families if family.name == "fanwire_http_problems"]
    return {sample.labels["kind"]: sample.value for sample in family.samples if sample.name.endswith("_total")}


async def publish(http: aiohttp.ClientSession, server: Server, room: str, offer: str | None = None) -> tuple[int, str]:
    """The status, and the kind of the problem or the session's address."""
    url = server.whip(room)
    async with http.post(url, data=offer or offers.text("aiortc-publish"), headers=SDP) as response:
        if response.status == 201:
            return 201, server.url + response.headers["Location"]
        problem = await response.json()
        assert len(problem["detail"].split()) > 4, "refused in plain words"
        assert ("Retry-After" in response.headers) == (response.status in {429, 503})
        return response.status, problem["type"].rpartition(":")[2]


async def test_sessions_and_rooms_are_bounded_and_free_again_when_left(
    small: Server, http: aiohttp.ClientSession
) -> None:
    async with Crowd() as crowd:
        for room in ("a", "b"):
            await crowd.publish(small.whip(room), rate_bps=100_000)
        resources = [await publish(http, small, "a")]
        assert await publish(http, small, "a") == (503, "too-many-sessions-in-room")
        assert await publish(http, small, "c") == (503, "too-many-rooms")
        resources.append(await publish(http, small, "b"))
        assert [status for status, _ in resources] == [201, 201]
        assert await publish(http, small, "b") == (503, "too-many-sessions")
        for _, resource in resources:
            assert (await http.delete(resource)).status == 200
    status, resource = await publish(http, small, "c")
    assert status == 201
    assert (await http.delete(resource)).status == 200
    told = await refusals(http, small)
    assert {kind: told[kind] for kind in told if kind.startswith("too-many")} == {
        "too-many-sessions-in-room": 1,
        "too-many-rooms": 1,
        "too-many-sessions": 1,
    }
    async with http.get(f"{small.url}/api/v1/rooms") as response:
        assert (await response.json())["rooms"] == []


async def test_media_sections_of_one_session_are_bounded(small: Server, http: aiohttp.ClientSession) -> None:
    status, kind = await publish(http, small, "a", offers.text("chromium-publish-two-cameras-datachannel"))
    assert (status, kind) == (422, "unanswerable-offer")
    assert (await publish(http, small, "a", "v=0\r\n" + "a=x\r\n" * 10_000))[0] == 413


async def test_an_offer_to_publish_is_taken_as_a_whole_or_refused_and_logged(
    small: Server, http: aiohttp.ClientSession
) -> None:
    offer = offers.changed("aiortc-publish", "opus/48000/2", "unknown/48000/2")
    async with http.post(small.whip("whole"), data=offer, headers=SDP) as response:
        problem = await response.json()
        assert (response.status, problem["type"]) == (422, "urn:fanwire:problem:unanswerable-offer")
        assert "audio unknown" in problem["detail"]
        assert "Opus" in problem["detail"]
    assert "room whole: " in small.log
    async with http.get(f"{small.url}/api/v1/rooms/whole") as response:
        assert response.status == 404


async def test_a_header_too_long_is_refused_and_counted(small: Server, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{small.url}/healthz", headers={"X-Long": "x" * 2000}) as response:
        assert response.status == 431
        problem = await response.json()
    assert "1024" in problem["detail"]
    assert "xxx" not in str(problem)
    assert (await refusals(http, small))["header-too-long"] == 1
    assert "Traceback" not in small.log


async def test_sessions_that_do_not_connect_are_bounded_for_each_address(http: aiohttp.ClientSession) -> None:
    async with Server("--max-unconnected-per-client=2", "--trusted-proxies=127.0.0.0/8") as server:
        sessions = [await publish(http, server, f"room-{i}") for i in range(3)]
        assert sessions[2] == (429, "too-many-unconnected-sessions")
        neighbour = {"X-Forwarded-For": "203.0.113.9"} | SDP
        async with http.post(server.whip("a"), data=offers.text("aiortc-publish"), headers=neighbour) as response:
            assert response.status == 201
        assert (await http.delete(sessions[0][1])).status == 200
        async with Crowd() as crowd:
            for i in range(4):
                await crowd.publish(server.whip(f"live-{i}"), rate_bps=100_000)


async def test_one_address_may_not_join_too_fast(http: aiohttp.ClientSession) -> None:
    async with Server("--joins-per-s=0.3", "--trusted-proxies=127.0.0.0/8") as server:
        joined = [await publish(http, server, f"room-{i}") for i in range(4)]
        assert [status for status, _ in joined] == [201, 201, 201, 429]
        assert joined[3][1] == "joining-too-fast"
        neighbour = {"X-Forwarded-For": "203.0.113.9"} | SDP
        async with http.post(server.whip("a"), data=offers.text("aiortc-publish"), headers=neighbour) as response:
            assert response.status == 201
        assert (await refusals(http, server))["joining-too-fast"] == 1
