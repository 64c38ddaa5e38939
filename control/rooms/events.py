"""The events of a viewer's session: publisher present or not, layers, number of viewers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sized
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ..media.engine import EngineError
from .errors import StreamNotFound, TooManyStreams
from .layers import MediumState

EventName = Literal["active", "inactive", "layers", "viewercount"]

EVENT_NAMES: tuple[EventName, ...] = ("active", "inactive", "layers", "viewercount")
MAX_STREAMS = 4

_LOOK_S = 1.0  # interval of polling for changes that nothing reports
_RATES_S = 5.0  # least interval of events for new bit rates alone


class Ending(Protocol):
    """A session that may have ended."""

    @property
    def end(self) -> str | None:
        """Why the session ended, or None while it lasts."""


class Watched(Protocol):
    """The part of a viewer's subscription that event streams read."""

    @property
    def session(self) -> Ending:
        """The viewer's session."""

    @property
    def following(self) -> object | None:
        """The publication that the viewer watches, or None."""

    @property
    def audience(self) -> Sized:
        """All viewers of the room."""

    @property
    def listening(self) -> set[asyncio.Event]:
        """The events to set when something changes."""

    async def media(self) -> dict[int, MediumState]:
        """The layers by media section. Raises EngineError once the session is gone."""


class Event(NamedTuple):
    """One event. `layers` has `layers` by media section, `viewercount` has `viewers`, the others have neither."""

    name: EventName
    layers: Mapping[int, MediumState] | None = None
    viewers: int | None = None


@dataclass(slots=True)
class _Sent:
    """The state that a reader has received. Initially no publisher is assumed."""

    active: bool = False
    viewers: int | None = None
    layers: Mapping[int, MediumState] | None = None
    layers_at: float = 0.0


class EventStream:
    """Sends the state to one reader. Changes do not queue: a slow reader gets only the newest state."""

    def __init__(self, subscription: Watched, names: Collection[EventName]) -> None:
        self._subscription = subscription
        self._names = names
        self._woken = asyncio.Event()
        self._reader: _Sent | None = None

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """New events, first the whole state. Yields at least once a second, perhaps an empty list.

        Ends with the session, or when a second reader starts: that is the same client, reconnected.
        """
        self._reader = sent = _Sent()
        self._woken.set()
        self._subscription.listening.add(self._woken)
        try:
            while self._reader is sent and self._subscription.session.end is None:
                self._woken.clear()
                yield [event for event in await self._news(sent) if event.name in self._names]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._woken.wait()
        finally:
            if self._reader is sent:
                self.end()

    def end(self) -> None:
        """End the reader."""
        self._reader = None
        self._woken.set()
        self._subscription.listening.discard(self._woken)

    async def _news(self, sent: _Sent) -> list[Event]:
        news = []
        active = self._subscription.following is not None
        if active != sent.active:
            sent.active = active
            news.append(Event("active" if active else "inactive"))
        viewers = len(self._subscription.audience)
        if viewers != sent.viewers:
            sent.viewers = viewers
            news.append(Event("viewercount", viewers=viewers))
        if "layers" in self._names and await self._look(sent):
            news.append(Event("layers", layers=sent.layers))
        return news

    async def _look(self, sent: _Sent) -> bool:
        """Read the layers. Returns whether an event is due."""
        try:
            layers = await self._subscription.media()
        except EngineError:  # the session is about to end
            return False
        now = time.monotonic()
        changed = sent.layers is None or _shapes(sent.layers) != _shapes(layers)
        if not changed and (sent.layers == layers or now - sent.layers_at < _RATES_S):
            return False
        sent.layers, sent.layers_at = layers, now
        return True


def _shapes(layers: Mapping[int, MediumState]) -> dict[int, object]:
    return {index: state.shape for index, state in layers.items()}


class EventStreams:
    """The event streams of one session, under unguessable ids."""

    def __init__(self) -> None:
        self._streams: dict[str, EventStream] = {}

    def create(self, subscription: Watched, names: Collection[EventName]) -> str:
        """The id of a new stream of events of these names. Raises TooManyStreams."""
        if len(self._streams) >= MAX_STREAMS:
            raise TooManyStreams(MAX_STREAMS)
        stream_id = secrets.token_urlsafe(18)
        self._streams[stream_id] = EventStream(subscription, names)
        return stream_id

    def find(self, stream_id: str) -> EventStream:
        """The stream of that id. Raises StreamNotFound."""
        try:
            return self._streams[stream_id]
        except KeyError:
            raise StreamNotFound from None

    def remove(self, stream_id: str) -> None:
        """End the stream of that id. Raises StreamNotFound."""
        self.find(stream_id).end()
        del self._streams[stream_id]
