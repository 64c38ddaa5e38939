"""Access to a server with keys: every request of a session needs the token of whoever owns it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio

from ci.support import offers
from ci.support.crowd import Crowd
from ci.support.server import Server
from ci.support.waiting import until
from fanwire.control.http.tokens import LEEWAY_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEYS = {"main": "m" * 32, "next": "n" * 32}
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
SDPFRAG = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded() -> AsyncIterator[Server]:
    """A server with two keys."""
    keys = ",".join(f"{kid}:{secret}" for kid, secret in KEYS.items())
    async with Server(f"--keys={keys}", "--failed-auths-per-min=1000") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


def token(sub: str = "ann", key: str = "main", ttl_s: float = 86_400, secret: str | None = None, **grants: Any) -> str:
    claims = {"sub": sub, "exp": time.time() + ttl_s, "fanwire": {"room": "stage"} | grants}
    return jwt.encode(claims, secret or KEYS[key], "HS256", {"kid": key})


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


ANN = bearer(token(publish=True, subscribe=True))
ADMIN = bearer(token("root", admin=True))


async def publish(http: aiohttp.ClientSession, server: Server, headers: dict[str, str], query: str = "") -> Any:
    url = server.whip("stage") + query
    return await http.post(url, data=offers.text("aiortc-publish"), headers=SDP | headers)


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        ({}, 401, 'Bearer realm="fanwire"'),
        ({"Authorization": "Basic YW5uOnNlY3JldA=="}, 401, 'Bearer realm="fanwire"'),
        (bearer(token(publish=True, ttl_s=-60)), 401, 'error="invalid_token"'),
        (bearer(token(publish=True, secret="x" * 32)), 401, 'error="invalid_token"'),
        (bearer(token(publish=True, key="next", secret=KEYS["main"])), 401, 'error="invalid_token"'),
        (
            bearer(jwt.encode({"sub": "ann", "exp": 1 << 40, "fanwire": {"room": "*", "publish": True}}, "", "none")),
            401,
            'error="invalid_token"',
        ),
        (bearer(token(publish=True, room="elsewhere")), 403, 'error="insufficient_scope"'),
        (bearer(token(subscribe=True)), 403, 'error="insufficient_scope"'),
        (ADMIN, 403, 'error="insufficient_scope"'),
    ],
    ids=["none", "basic", "expired", "wrong key", "wrong key id", "alg none", "wrong room", "wrong grant", "admin"],
)
async def test_publishing_without_a_token_for_it_is_refused(
    guarded: Server, http: aiohttp.ClientSession, headers: dict[str, str], status: int, challenge: str
) -> None:
    response = await publish(http, guarded, headers)
    assert response.status == status
    assert challenge in response.headers["WWW-Authenticate"]
    assert response.content_type == "application/problem+json"
    assert (await response.json())["detail"]


async def test_a_session_obeys_its_owner_alone(guarded: Server, http: aiohttp.ClientSession) -> None:
    created = await publish(http, guarded, ANN)
    assert created.status == 201
    resource = guarded.url + created.headers["Location"]
    strangers = {
        401: [{}, bearer(token(publish=True, ttl_s=-60)), bearer(token(publish=True, secret="x" * 32))],
        403: [
            bearer(token("bob", publish=True)),
            bearer(token("ann", subscribe=True)),
            bearer(token("ann", publish=True, room="elsewhere")),
            ADMIN,
        ],
    }
    for status, all_headers in strangers.items():
        for headers in all_headers:
            assert (await http.patch(resource, data=FRAGMENT, headers=SDPFRAG | headers)).status == status
            assert (await http.delete(resource, headers=headers)).status == status
    assert (await http.patch(resource, data=FRAGMENT, headers=SDPFRAG | ANN)).status == 200
    fresh = bearer(token(publish=True, key="next", room="*"))
    assert (await http.delete(resource, headers=fresh)).status == 200
    assert (await http.delete(resource, headers=ANN)).status == 404


async def test_a_token_names_the_publisher(guarded: Server, http: aiohttp.ClientSession) -> None:
    assert (await publish(http, guarded, ANN, "?identity=bob")).status == 403
    async with Crowd(token=token(publish=True, admin=True)) as crowd:
        await crowd.publish(guarded.whip("stage") + "?identity=ann", rate_bps=100_000)
        watched = {}
        for name in ("ann", "bob"):
            url = guarded.whep("stage") + f"?publisher={name}"
            async with http.post(url, data=offers.text("aiortc-subscribe"), headers=SDP | ANN) as response:
                watched[name] = response.status
    assert watched == {"ann": 201, "bob": 409}


async def test_a_session_ends_with_its_token_unless_a_fresh_one_was_shown(
    guarded: Server, http: aiohttp.ClientSession
) -> None:
    short = {name: bearer(token(name, publish=True, ttl_s=2 - LEEWAY_S)) for name in ("cyd", "dan")}
    resources = {
        name: guarded.url + (await publish(http, guarded, headers)).headers["Location"]
        for name, headers in short.items()
    }
    fresh = bearer(token("dan", publish=True))
    assert (await http.patch(resources["dan"], data=FRAGMENT, headers=SDPFRAG | fresh)).status == 200

    async def names() -> set[str]:
        async with http.get(f"{guarded.url}/api/v1/sessions", headers=ADMIN) as response:
            return {session["identity"] for session in (await response.json())["sessions"]} & {"cyd", "dan"}

    assert await names() == {"cyd", "dan"}
    await until(names, lambda found: found == {"dan"}, timeout_s=5)


async def test_pages_probes_and_preflights_need_no_token(guarded: Server, http: aiohttp.ClientSession) -> None:
    for path in ("/", "/publish/stage", "/watch/stage", "/healthz", "/readyz", "/api/openapi.json"):
        assert (await http.get(guarded.url + path)).status == 200, path
    for path in ("/whip/stage", "/whep/stage/some-session", "/api/v1/rooms", "/api/v1/sessions/some-session"):
        response = await http.options(guarded.url + path)
        assert response.status == 204, path
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/rooms"),
        ("GET", "/api/v1/rooms/stage"),
        ("GET", "/api/v1/sessions"),
        ("GET", "/api/v1/sessions/any"),
        ("DELETE", "/api/v1/sessions/any"),
        ("POST", "/api/v1/tokens"),
        ("POST", "/api/v1/drain"),
        ("GET", "/metrics"),
    ],
)
async def test_the_api_is_for_admins(guarded: Server, http: aiohttp.ClientSession, method: str, path: str) -> None:
    assert (await http.request(method, guarded.url + path)).status == 401
    assert (await http.request(method, guarded.url + path, headers=ANN)).status == 403
    scraper = bearer(token("prometheus", metrics=True))
    status = (await http.request(method, guarded.url + path, headers=scraper)).status
    assert status == (200 if path == "/metrics" else 403)


async def test_a_token_from_the_api_is_as_good_as_any(guarded: Server, http: aiohttp.ClientSession) -> None:
    wanted = {"identity": "eve", "room": "stage", "publish": True, "ttl": 60}
    async with http.post(f"{guarded.url}/api/v1/tokens", json=wanted, headers=ADMIN) as response:
        assert response.status == 201
        made = await response.json()
    assert made["identity"] == "eve"
    assert abs(made["expiresAt"] - time.time() - 60) < 5
    assert (await publish(http, guarded, bearer(made["token"]))).status == 201
    for wrong in ({"publish": True}, {"ttl": "1h"}, {"ttl": 0}, {"root": True}):
        assert (await http.post(f"{guarded.url}/api/v1/tokens", json=wrong, headers=ADMIN)).status == 400


async def test_after_too_many_wrong_tokens_an_address_has_to_wait_and_good_ones_do_not(
    http: aiohttp.ClientSession,
) -> None:
    async with Server(f"--keys=main:{KEYS['main']}", "--failed-auths-per-min=3") as server:
        wrong = bearer(token(publish=True, secret="x" * 32))
        assert [(await publish(http, server, wrong)).status for _ in range(4)] == [401, 401, 401, 429]
        response = await publish(http, server, wrong)
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 20
        assert (await publish(http, server, ANN)).status == 201, "others have the same address"
        assert (await publish(http, server, {})).status == 401


async def test_without_keys_web_pages_of_other_origins_neither_publish_nor_watch(http: aiohttp.ClientSession) -> None:
    async with Server("--allow-origin=https://player.example") as server:
        answers = {
            origin: (await publish(http, server, {"Origin": origin})).status
            for origin in (server.url, "https://player.example", "https://evil.example", "null")
        }
        assert answers == {server.url: 201, "https://player.example": 201, "https://evil.example": 403, "null": 403}


async def test_without_keys_the_api_is_for_this_machine_and_not_for_the_web_pages_of_others(
    server: Server, http: aiohttp.ClientSession
) -> None:
    url = f"{server.url}/api/v1/rooms"
    port = server.url.rpartition(":")[2]
    for good in ({}, {"Origin": server.url}, {"Host": f"localhost:{port}"}):
        assert (await http.get(url, headers=good)).status == 200, good
    for bad in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": f"evil.example:{port}"},
        {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"},
    ):
        response = await http.get(url, headers=bad)
        assert response.status == 403, bad
        assert (await response.json())["type"].endswith(":not-local")
