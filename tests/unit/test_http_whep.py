"""WHEP's extensions over HTTP: what a player may send, what it is told, and when it is cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from ci.support.signaling import UnusedRooms, UnusedSession
from fanwire.control.config.options import AccessOptions
from fanwire.control.http import whep
from fanwire.control.http.access import Access
from fanwire.control.http.api import create_app
from fanwire.control.rooms.errors import NoSuchLayer, SessionNotFound, StreamNotFound, TooManyStreams
from fanwire.control.rooms.events import EVENT_NAMES, Event, EventName
from fanwire.control.rooms.layers import EncodingState, Flow, MediumState, PreferredLayers

Client = TestClient[Any, Any]
SESSION = "/whep/stage/s1"

STATE = MediumState(
    (
        EncodingState("q", True, 100_000, 320, 180, 1, 2, ((160, 90), (320, 180))),
        EncodingState("h", True, None, 0, 0),
        EncodingState("f", False, 0, 1280, 720),
    ),
    current=Flow(0, spatial=7, temporal=1),
    target=Flow(1, spatial=0, temporal=1),
    preferred=PreferredLayers("h", spatial=0, temporal=1),
)


class FakeSession(UnusedSession):
    id, room, kind, etag = "s1", "stage", "subscribe", "ice-1"

    def __init__(self) -> None:
        self.choices: list[Mapping[int | None, PreferredLayers]] = []
        self.opened: list[Collection[str]] = []
        self.closed: list[str] = []
        self.reading = 0
        self.batches: asyncio.Queue[list[Event] | None] = asyncio.Queue()

    async def choose_layers(self, choices: Mapping[int | None, PreferredLayers], /) -> None:
        if any(preferred.encoding == "x" for preferred in choices.values()):
            raise NoSuchLayer("There is no encoding 'x'; the publisher has 'q', 'h'.")
        self.choices.append(choices)

    def open_events(self, names: Collection[EventName], /) -> str:
        if self.opened:
            raise TooManyStreams(1)
        self.opened.append(names)
        return "e1"

    def read_events(self, stream_id: str, /) -> AsyncGenerator[list[Event], None]:
        if stream_id != "e1":
            raise StreamNotFound
        return self._read()

    async def _read(self) -> AsyncGenerator[list[Event], None]:
        self.reading += 1
        try:
            while (batch := await self.batches.get()) is not None:
                yield batch
        finally:
            self.reading -= 1

    def close_events(self, stream_id: str, /) -> None:
        if stream_id != "e1":
            raise StreamNotFound
        self.closed.append(stream_id)


class FakeRooms(UnusedRooms):
    def __init__(self, session: FakeSession) -> None:
        self._session = session

    def session(self, session_id: str, /) -> FakeSession:
        if session_id != self._session.id:
            raise SessionNotFound
        return self._session


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest_asyncio.fixture
async def client(session: FakeSession) -> AsyncIterator[Client]:
    access = Access(AccessOptions(allow_origin=("https://elsewhere.example",)))
    app = create_app(FakeRooms(session), access=access)
    async with TestClient(TestServer(app)) as client:
        yield client


async def problem(response: ClientResponse, status: int) -> str:
    assert response.status == status
    assert response.content_type == "application/problem+json"
    return str((await response.json())["detail"])


@pytest.mark.parametrize(
    ("body", "index", "preferred"),
    [
        ({}, None, PreferredLayers()),
        ({"mediaId": "1"}, 1, PreferredLayers()),
        ({"mediaId": "0", "encodingId": "hd"}, 0, PreferredLayers("hd")),
        ({"spatialLayerId": 1, "maxTemporalLayerId": 0}, None, PreferredLayers(None, 1, 0)),
        ({"temporalLayerId": 2, "maxTemporalLayerId": 1, "spatialLayerId": 1.0}, None, PreferredLayers(None, 1, 1)),
    ],
)
async def test_a_player_chooses_layers(
    client: Client, session: FakeSession, body: Any, index: int | None, preferred: PreferredLayers
) -> None:
    response = await client.post(f"{SESSION}/layer", json=body)
    assert response.status == 200
    assert session.choices == [{index: preferred}]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"layer": 1}, "encodingId"),
        ({"encodingId": 1}, "string"),
        ({"encodingId": ""}, "1 to 255"),
        ({"encodingId": None}, "string"),
        ({"spatialLayerId": 8}, "0 to 7"),
        ({"temporalLayerId": -1}, "0 to 7"),
        ({"maxSpatialLayerId": True}, "0 to 7"),
        ({"maxTemporalLayerId": "1"}, "0 to 7"),
        ({"temporalLayerId": 0.5}, "0 to 7"),
        ({"mediaId": 1}, "as a string"),
        ({"mediaId": "video"}, "as a string"),
        ({"mediaId": "²"}, "as a string"),
        ([], "object"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused_in_words(
    client: Client, session: FakeSession, body: Any, told: str
) -> None:
    assert told in await problem(await client.post(f"{SESSION}/layer", json=body), 400)
    assert session.choices == []


async def test_layers_that_are_not_there_are_told_from_those_that_are(client: Client) -> None:
    detail = await problem(await client.post(f"{SESSION}/layer", json={"encodingId": "x"}), 422)
    assert "'q', 'h'" in detail
    for other in ("/whep/stage/s2", "/whep/other/s1", "/whip/stage/s1"):
        await problem(await client.post(f"{other}/layer", json={}), 404)


@pytest.mark.parametrize(
    ("body", "names"), [(None, EVENT_NAMES), (["layers"], ["layers"]), (["active", "inactive"], ["active", "inactive"])]
)
async def test_an_event_stream_is_made_and_ended(
    client: Client, session: FakeSession, body: Any, names: Collection[str]
) -> None:
    created = await (client.post(f"{SESSION}/sse", json=body) if body else client.post(f"{SESSION}/sse"))
    assert created.status == 201
    assert created.headers["Location"] == f"{SESSION}/sse/e1"
    assert list(session.opened[0]) == list(names)
    assert "1 event stream" in await problem(await client.post(f"{SESSION}/sse"), 409)
    assert (await client.delete(created.headers["Location"])).status == 204
    assert session.closed == ["e1"]


@pytest.mark.parametrize("body", [[], ["layers", "sunrise"], [["layers"]], {"layers": True}, "layers", [1]])
async def test_events_that_there_are_none_of_are_refused(client: Client, session: FakeSession, body: Any) -> None:
    assert "viewercount" in await problem(await client.post(f"{SESSION}/sse", json=body), 400)
    assert session.opened == []


async def test_events_come_as_the_draft_writes_them(client: Client, session: FakeSession) -> None:
    await session.batches.put([Event("active"), Event("viewercount", viewers=3)])
    await session.batches.put([Event("layers", layers={1: STATE})])
    await session.batches.put(None)
    response = await client.get(f"{SESSION}/sse/e1", headers={"Origin": "https://elsewhere.example"})
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    first, active, count, layers, end = (await response.text()).split("\n\n")
    assert (first, end) == ("retry: 2000", "")
    assert active == "event: active\ndata: {}"
    assert count == 'event: viewercount\ndata: {"viewercount":3}'
    name, data = layers.split("\n")
    assert name == "event: layers"
    assert json.loads(data.removeprefix("data: ")) == {
        "1": {
            "active": [
                {"id": "q", "simulcastIdx": 0, "width": 320, "height": 180, "bitrate": 100_000},
                {"id": "h", "simulcastIdx": 1},
            ],
            "inactive": [{"id": "f", "simulcastIdx": 2, "width": 1280, "height": 720}],
            "layers": [
                *(
                    {"encodingId": "q", "spatialLayerId": spatial, "temporalLayerId": temporal, "simulcastIdx": 0}
                    | {"width": 160 << spatial, "height": 90 << spatial}
                    | ({"bitrate": 100_000} if (spatial, temporal) == (1, 2) else {})
                    for spatial in range(2)
                    for temporal in range(3)
                ),
                {"encodingId": "h", "simulcastIdx": 1},
            ],
            "current": {"encodingId": "q", "spatialLayerId": 1, "temporalLayerId": 1},
            "target": {"encodingId": "h"},
            "preferred": {"encodingId": "h", "spatialLayerId": 0, "temporalLayerId": 1},
        }
    }
    foreign = {"Origin": "https://evil.example"}
    await problem(await client.get(f"{SESSION}/sse/e1", headers=foreign), 403)
    await problem(await client.get(f"{SESSION}/sse/e2"), 404)
    await problem(await client.delete(f"{SESSION}/sse/e2"), 404)


async def test_a_stream_with_nothing_to_tell_shows_that_it_lives(
    client: Client, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whep, "_HEARTBEAT_S", 0.1)
    await session.batches.put([])
    response = await client.get(f"{SESSION}/sse/e1")
    for _ in range(6):
        await asyncio.sleep(0.04)
        await session.batches.put([])
    await session.batches.put(None)
    beats = (await response.text()).split("\n\n").count(":")
    assert 2 <= beats <= 4


async def test_a_reader_that_takes_nothing_is_cut_off(
    client: Client, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whep, "_WRITE_S", 0.2)
    assert client.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=1)
    writer.write(f"GET {SESSION}/sse/e1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    taken = 0
    async with asyncio.timeout(20):
        while session.reading or not taken:
            await session.batches.put([Event("layers", layers=dict.fromkeys(range(200), STATE))])
            await asyncio.sleep(0.001)
            taken += 1
    assert session.batches.qsize() > 0  # what it did not take was never made
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1 << 30), 10)
    writer.close()
