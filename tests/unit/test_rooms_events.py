"""What viewers are told of layers: measured seldom, told soon, and only the newest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from ci.support.scenario.specs import VP8, producer
from fanwire.control.media.engine import (
    Codec,
    Encoding,
    EngineError,
    Kind,
    ProducerId,
    StreamStatistics,
    TransportId,
    TransportState,
    TransportStatistics,
)
from fanwire.control.media.fastpath import ErrorCode
from fanwire.control.rooms.errors import NoSuchLayer, StreamNotFound, TooManyStreams
from fanwire.control.rooms.events import EVENT_NAMES, MAX_STREAMS, Event, EventName, EventStream, EventStreams
from fanwire.control.rooms.layers import Flow, MediumState, Meter, PreferredLayers, encoding_ids

SPEC = producer(VP8, encodings=[Encoding("q"), Encoding("h")])


def statistics(*received: int) -> TransportStatistics:
    """Statistics of a publisher that has sent so many bytes of each encoding."""
    streams = [
        stream(id=7, kind=Kind.VIDEO, encoding=index, bytes=count, width=320, height=180)
        for index, count in enumerate(received)
    ]
    return TransportStatistics(TransportId(1), TransportState.KEYED, 0, 0, tuple(streams))


def stream(**known: Any) -> StreamStatistics:
    names = StreamStatistics.__dataclass_fields__
    return StreamStatistics(**(dict.fromkeys(names, 0) | {"outbound": False, "codec": Codec.VP8} | known))


async def test_encodings_are_measured_once_however_many_ask() -> None:
    now, reads = 100.0, []
    received = [1000, 0]

    async def read() -> TransportStatistics:
        reads.append(now)
        await asyncio.sleep(0)
        return statistics(*received)

    meter = Meter(read, [(ProducerId(7), SPEC)], clock=lambda: now)
    many = await asyncio.gather(*(meter.encodings() for _ in range(100)))
    assert len(reads) == 1
    first, second = many[0][ProducerId(7)]
    assert (first.id, first.active, first.bitrate_bps, first.width) == ("q", True, None, 320)
    assert (second.id, second.active) == ("h", False)
    now, received = 102.0, [1000, 500]
    first, second = (await meter.encodings())[ProducerId(7)]
    assert (first.active, first.bitrate_bps) == (True, 0)  # its picture may stand still
    assert (second.active, second.bitrate_bps) == (True, 2000)
    assert len(reads) == 2
    now, received = 103.5, [1000, 1000]
    first, second = (await meter.encodings())[ProducerId(7)]
    assert (first.active, second.active) == (False, True)


def test_a_wish_names_an_encoding_that_is_there() -> None:
    assert encoding_ids(SPEC) == ["q", "h"]
    assert encoding_ids(producer(VP8)) == ["0"]
    assert PreferredLayers("h").resolve(SPEC) == 1
    assert PreferredLayers().resolve(SPEC) is None
    with pytest.raises(NoSuchLayer, match="'q', 'h'"):
        PreferredLayers("f").resolve(SPEC)


@dataclass
class FakeSession:
    end: str | None = None


class Viewer:
    """A subscription as far as an event stream sees it."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.listening: set[asyncio.Event] = set()
        self.audience = [self]
        self.following: object | None = None
        self.layers: dict[int, MediumState] = {1: MediumState()}
        self.fails = False

    async def media(self) -> dict[int, MediumState]:
        if self.fails:
            raise EngineError("the transport", ErrorCode.STALE_ID)
        return dict(self.layers)

    def change(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        for event in self.listening:
            event.set()


def open_stream(viewer: Viewer, *names: EventName) -> EventStream:
    return EventStream(viewer, names or EVENT_NAMES)


async def soon(batches: Any) -> list[Event]:
    async with asyncio.timeout(0.5):
        found: list[Event] = await anext(batches)
        return found


async def test_a_reader_is_told_how_things_are_and_then_what_changes() -> None:
    viewer = Viewer()
    batches = open_stream(viewer).batches()
    assert await soon(batches) == [Event("viewercount", viewers=1), Event("layers", layers=viewer.layers)]
    viewer.change(following=object())
    assert await soon(batches) == [Event("active")]
    viewer.change(layers={1: MediumState(current=Flow(1, 7, 7))})
    assert await soon(batches) == [Event("layers", layers=viewer.layers)]
    viewer.change(following=None, audience=[viewer, viewer])
    assert await soon(batches) == [Event("inactive"), Event("viewercount", viewers=2)]
    viewer.change(fails=True)
    assert await soon(batches) == []
    viewer.session.end = "closed"
    viewer.change()
    with pytest.raises(StopAsyncIteration):
        await soon(batches)
    assert viewer.listening == set()


async def test_a_reader_that_lags_is_told_the_newest_alone() -> None:
    viewer = Viewer()
    batches = open_stream(viewer, "layers").batches()
    await soon(batches)
    for index in range(100):
        viewer.change(layers={1: MediumState(current=Flow(index, 7, 7))}, following=object())
    assert await soon(batches) == [Event("layers", layers={1: MediumState(current=Flow(99, 7, 7))})]
    assert await anext(batches) == []


async def test_a_reader_that_comes_back_replaces_itself() -> None:
    viewer = Viewer()
    stream = open_stream(viewer)
    first = stream.batches()
    told = await soon(first)
    second = stream.batches()
    waiting = asyncio.create_task(anext(first))
    await asyncio.sleep(0)
    assert await soon(second) == told
    with pytest.raises(StopAsyncIteration):
        await waiting
    viewer.change(following=object())
    assert await soon(second) == [Event("active")]


async def test_streams_are_few_and_their_names_are_secret() -> None:
    viewer, streams = Viewer(), EventStreams()
    ids = {streams.create(viewer, ["layers"]) for _ in range(MAX_STREAMS)}
    assert len(ids) == MAX_STREAMS
    assert all(len(one) >= 22 for one in ids)  # 128 bits at least
    with pytest.raises(TooManyStreams):
        streams.create(viewer, ["layers"])
    gone = ids.pop()
    batches = streams.find(gone).batches()
    await soon(batches)
    streams.remove(gone)
    with pytest.raises(StopAsyncIteration):
        await soon(batches)
    with pytest.raises(StreamNotFound):
        streams.find(gone)
    streams.create(viewer, ["layers"])
