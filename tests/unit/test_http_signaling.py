"""WHIP and WHEP over HTTP: what a client may rely on, against rooms that only keep the books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from ci.support.signaling import UnusedSession
from fanwire.control.config.ice_server import IceServer
from fanwire.control.config.options import HttpOptions
from fanwire.control.http.api import create_app
from fanwire.control.http.contract import SignalingApi
from fanwire.control.rooms.errors import (
    NegotiationError,
    NothingPublished,
    SdpError,
    SessionNotFound,
    TooManySessions,
)
from fanwire.control.rooms.policy import Permit

OFFER = "v=0\r\ns=an offer\r\n"
FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
SDP = {"Content-Type": "application/sdp"}
SDPFRAG = {"Content-Type": "application/trickle-ice-sdpfrag"}
MAX_BODY_BYTES = 1000


@dataclass
class FakeSession(UnusedSession):
    id: str
    room: str
    kind: str
    rooms: FakeRooms
    etag: str = "ice-1"
    trickled: list[str] = field(default_factory=list)

    async def trickle(self, fragment: str, /) -> None:
        if "a=" not in fragment:
            raise SdpError("not a fragment")
        self.trickled.append(fragment)

    async def restart_ice(self, fragment: str, /) -> str:
        if "a=ice-ufrag" not in fragment:
            raise SdpError("a restart needs new credentials")
        self.etag = "ice-2"
        return "a=ice-ufrag:server\r\n"

    async def close(self) -> None:
        del self.rooms.sessions[self.id]


@dataclass
class FakeJoined:
    session: FakeSession
    answer: str


class FakeRooms(SignalingApi):
    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.joined: list[tuple[str, str, str, str | None]] = []
        self.error: Exception | None = None

    async def publish(
        self, room: str, offer: str, /, *, identity: str | None, permit: Permit | None, client: str | None
    ) -> FakeJoined:
        return self._join("publish", room, offer, identity)

    async def subscribe(
        self, room: str, offer: str, /, *, publisher: str | None, permit: Permit | None, client: str | None
    ) -> FakeJoined:
        return self._join("subscribe", room, offer, publisher)

    def session(self, session_id: str, /) -> FakeSession:
        if session_id not in self.sessions:
            raise SessionNotFound
        return self.sessions[session_id]

    def _join(self, kind: str, room: str, offer: str, person: str | None) -> FakeJoined:
        if self.error:
            raise self.error
        self.joined.append((kind, room, offer, person))
        session = FakeSession(f"s{len(self.joined)}", room, kind, self)
        self.sessions[session.id] = session
        return FakeJoined(session, f"v=0\r\ns=answer to {kind}\r\n")


@pytest.fixture
def rooms() -> FakeRooms:
    return FakeRooms()


Client = TestClient[Any, Any]


@pytest_asyncio.fixture
async def client(rooms: FakeRooms) -> AsyncIterator[Client]:
    ice_servers = (
        IceServer("stun:stun.example.net"),
        IceServer("turn:turn.example.net", "ann", 'a"b\\c'),
    )
    app = create_app(rooms, HttpOptions(ice_servers=ice_servers, max_body_bytes=MAX_BODY_BYTES))
    async with TestClient(TestServer(app)) as client:
        yield client


async def problem(response: ClientResponse, status: int) -> dict[str, Any]:
    """The problem that `response` must be, after checking what all problems have."""
    assert response.status == status
    assert response.content_type == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Server"] == "Fanwire"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    document = await response.json()
    assert document["status"] == status
    assert document["instance"] == response.url.raw_path
    assert document["type"]
    assert document["title"]
    assert document["detail"]
    return dict(document)


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        ("/whip/stage", ("publish", "stage", OFFER, None)),
        ("/whip/stage?identity=ann", ("publish", "stage", OFFER, "ann")),
        ("/whep/stage", ("subscribe", "stage", OFFER, None)),
        ("/whep/stage?publisher=ann", ("subscribe", "stage", OFFER, "ann")),
    ],
)
async def test_an_offer_is_answered_with_201_and_all_that_the_client_needs_later(
    client: Client, rooms: FakeRooms, url: str, joined: tuple[str, ...]
) -> None:
    response = await client.post(url, data=OFFER, headers={"Content-Type": "Application/SDP; charset=utf-8"})
    assert response.status == 201
    assert rooms.joined == [joined]
    assert response.headers["Content-Type"] == "application/sdp"
    assert await response.text() == f"v=0\r\ns=answer to {joined[0]}\r\n"
    assert response.headers["Location"] == f"{url.partition('?')[0]}/s1"
    assert response.headers["ETag"] == '"ice-1"'
    assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert response.headers.getall("Link")[:2] == [
        '<stun:stun.example.net>; rel="ice-server"',
        r'<turn:turn.example.net>; rel="ice-server"; username="ann"; credential="a\"b\\c"; credential-type="password"',
    ]
    exposed = {name.strip() for name in response.headers["Access-Control-Expose-Headers"].split(",")}
    assert exposed >= {"Location", "ETag", "Link", "Accept-Patch", "Retry-After"}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (SdpError("line 2 has no '='"), 400, "malformed-sdp"),
        (NegotiationError("no common codec"), 422, "unanswerable-offer"),
        (NothingPublished("stage"), 409, "nothing-published"),
        (TooManySessions("all 8 rooms are taken"), 503, "too-many-sessions"),
    ],
)
async def test_what_rooms_refuse_is_told_in_their_words(
    client: Client, rooms: FakeRooms, error: Exception, status: int, kind: str
) -> None:
    rooms.error = error
    response = await client.post("/whep/stage", data=OFFER, headers=SDP)
    document = await problem(response, status)
    assert document["detail"] == str(error)
    assert document["type"] == f"urn:fanwire:problem:{kind}"
    assert ("Retry-After" in response.headers) == (status in {409, 503})


async def test_an_unexpected_error_is_logged_and_not_shown(
    client: Client, rooms: FakeRooms, caplog: pytest.LogCaptureFixture
) -> None:
    rooms.error = RuntimeError("secret of the house")
    document = await problem(await client.post("/whip/stage", data=OFFER, headers=SDP), 500)
    assert "secret" not in str(document)
    assert "secret of the house" in caplog.text
    number = document["detail"].split()[-1].rstrip(".")
    assert number in caplog.text


@pytest.mark.parametrize("protocol", ["whip", "whep"])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (OFFER, {"Content-Type": "text/plain"}, 415),
        (b"", {"Content-Type": ""}, 415),
        (b"v=0\r\ns=\xff\xfe\r\n", SDP, 400),
        (b"v" * (MAX_BODY_BYTES + 1), SDP, 413),
        (b"not gzip", SDP | {"Content-Encoding": "gzip"}, 400),
    ],
)
async def test_a_body_that_cannot_be_an_offer_is_refused_before_rooms_see_it(
    client: Client, rooms: FakeRooms, protocol: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = await client.post(f"/{protocol}/stage", data=body, headers=headers)
    await problem(response, status)
    assert rooms.joined == []
    if status == 415:
        assert response.headers["Accept-Post"] == "application/sdp"


async def test_a_body_too_large_is_refused_though_its_length_is_not_announced(client: Client, rooms: FakeRooms) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES):
            yield b"1234"

    await problem(await client.post("/whip/stage", data=body(), headers=SDP), 413)
    assert rooms.joined == []


async def test_a_client_that_leaves_within_its_request_does_no_harm(client: Client, rooms: FakeRooms) -> None:
    assert client.port is not None
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(
        b"POST /whip/stage HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0"
    )
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.05)
    assert rooms.joined == []
    assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize("name", ["a", "A-z_0.9~", "x" * 128])
async def test_a_name_of_unreserved_characters_is_accepted(client: Client, name: str) -> None:
    url = f"/whip/{name}?identity={name}"
    assert (await client.post(url, data=OFFER, headers=SDP)).status == 201


@pytest.mark.parametrize("name", ["x" * 129, "a%20b", "caf%C3%A9", "a%2Fb", "%2E%2E", "a%0Ab", "a%00", "a%0A"])
async def test_any_other_name_is_refused_and_the_client_told_what_is_allowed(
    client: Client, rooms: FakeRooms, name: str
) -> None:
    for url in (f"/whip/{name}", f"/whep/stage?publisher={name}", f"/whip/stage?identity={name}"):
        target = client.make_url("/").origin().join(URL(url, encoded=True))
        document = await problem(await client.session.post(target, data=OFFER, headers=SDP), 400)
        assert "letter" in document["detail"]
    assert rooms.joined == []


async def test_an_empty_name_is_refused(client: Client) -> None:
    await problem(await client.post("/whip/stage?identity=", data=OFFER, headers=SDP), 400)


@pytest.mark.parametrize("protocol", ["whip", "whep"])
async def test_candidates_are_taken_only_for_the_current_ice_session(
    client: Client, rooms: FakeRooms, protocol: str
) -> None:
    created = await client.post(f"/{protocol}/stage", data=OFFER, headers=SDP)
    url, etag = created.headers["Location"], created.headers["ETag"]
    trickled = rooms.sessions["s1"].trickled

    async def patch(match: str | None, body: str = FRAGMENT, content_type: str | None = None) -> ClientResponse:
        headers = {"Content-Type": content_type or SDPFRAG["Content-Type"]}
        return await client.patch(url, data=body, headers=headers | ({"If-Match": match} if match is not None else {}))

    for missing in (None, ""):
        await problem(await patch(missing), 428)
    for wrong in ('"other"', f"W/{etag}", "ice-1"):
        await problem(await patch(wrong), 412)
    await problem(await patch(etag, "nonsense"), 400)
    refused = await patch(etag, content_type="application/sdp")
    await problem(refused, 415)
    assert refused.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert trickled == []
    for right in (etag, f'"other", {etag}'):
        response = await patch(right)
        assert (response.status, await response.read()) == (204, b"")
    assert trickled == [FRAGMENT, FRAGMENT]


async def test_an_ice_restart_gives_new_credentials_and_a_new_etag(client: Client) -> None:
    created = await client.post("/whip/stage", data=OFFER, headers=SDP)
    url = created.headers["Location"]
    await problem(await client.patch(url, data="a=x\r\n", headers=SDPFRAG | {"If-Match": "*"}), 400)
    quoted = await client.patch(url, data=FRAGMENT, headers=SDPFRAG | {"If-Match": '"*"'})
    assert (await problem(quoted, 412))["type"].endswith(":etag-mismatch"), "in quotes it is a tag, of no session"
    restarted = await client.patch(url, data=FRAGMENT, headers=SDPFRAG | {"If-Match": "*"})
    assert restarted.status == 200
    assert restarted.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
    assert await restarted.text() == "a=ice-ufrag:server\r\n"
    assert restarted.headers["ETag"] == '"ice-2"'
    stale = await client.patch(url, data=FRAGMENT, headers=SDPFRAG | {"If-Match": created.headers["ETag"]})
    assert (await problem(stale, 412))["type"] == "urn:fanwire:problem:etag-mismatch"


async def test_a_session_is_ended_once_and_only_through_its_own_address(client: Client, rooms: FakeRooms) -> None:
    url = (await client.post("/whip/stage", data=OFFER, headers=SDP)).headers["Location"]
    for other in (url.replace("whip", "whep"), url.replace("stage", "other"), f"{url}x"):
        assert (await problem(await client.delete(other), 404))["type"] == "urn:fanwire:problem:session-not-found"
        await problem(await client.patch(other, data=FRAGMENT, headers=SDPFRAG | {"If-Match": "*"}), 404)
    assert (await client.delete(url)).status == 200
    assert rooms.sessions == {}
    await problem(await client.delete(url), 404)


@pytest.mark.parametrize("protocol", ["whip", "whep"])
async def test_a_preflight_from_any_origin_may_do_all_that_the_protocol_needs(client: Client, protocol: str) -> None:
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    endpoint = await client.options(f"/{protocol}/stage", headers=preflight)
    session = await client.options(f"/{protocol}/stage/s1", headers=preflight)
    assert endpoint.headers["Accept-Post"] == "application/sdp"
    assert "POST" in endpoint.headers["Access-Control-Allow-Methods"]
    assert {"PATCH", "DELETE"} <= {m.strip() for m in session.headers["Access-Control-Allow-Methods"].split(",")}
    for response in (endpoint, session):
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert int(response.headers["Access-Control-Max-Age"]) > 0
        allowed = {name.strip() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
        assert allowed == {"Authorization", "Content-Type", "If-Match"}


@pytest.mark.parametrize("path", ["/whip/stage", "/whep/stage", "/whip/stage/s1", "/whep/stage/s1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_methods_kept_for_the_future_are_refused(client: Client, path: str, method: str) -> None:
    response = await client.request(method, path)
    assert response.status == 405
    allowed = {"POST", "OPTIONS"} if path.count("/") == 2 else {"PATCH", "DELETE", "OPTIONS"}
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed
    if method != "HEAD":
        await problem(response, 405)


async def test_health_is_told_and_never_cached(client: Client) -> None:
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", ["relay.example.net", "http://example.net", "stun:a b", "stun:a>", "turn:example.net"])
async def test_an_ice_server_that_no_browser_would_take_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ICE server"):
        IceServer(url)
