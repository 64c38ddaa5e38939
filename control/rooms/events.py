"""What a viewer's session can be told of while it lasts: whether somebody publishes, which layers, how many watch."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..media.engine import EngineError
from .errors import StreamNotFound, TooManyStreams
from .layers import MediumState
from .participant import Subscription

EventName = Literal["active", "inactive", "layers", "viewercount"]

EVENT_NAMES: tuple[EventName, ...] = ("active", "inactive", "layers", "viewercount")
MAX_STREAMS = 4

_LOOK_S = 1.0  # what nobody gives notice of is found out so often
_RATES_S = 5.0  # bit rates alone are worth an event so often


class Event(NamedTuple):
    """One thing that is so now. `layers` is by media section, `viewers` counts them; each with its event alone."""

    name: EventName
    layers: Mapping[int, MediumState] | None = None
    viewers: int | None = None


@dataclass(slots=True)
class _Told:
    """What a reader knows already. It need not be told that nobody publishes."""

    active: bool = False
    viewers: int | None = None
    layers: Mapping[int, MediumState] | None = None
    layers_at: float = 0.0


class EventStream:
    """Tells one reader how things are. What changes while it reads is told as it is in the end: nothing queues up."""

    def __init__(self, subscription: Subscription, names: Collection[EventName]) -> None:
        self._subscription = subscription
        self._names = names
        self._woken = asyncio.Event()
        self._reader: _Told | None = None

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """What is new, at first everything: at least once a second, though it may be nothing.

        Ends with the session, or when somebody else begins to read: that is the same client, come back.
        """
        self._reader = told = _Told()
        self._woken.set()
        self._subscription.listening.add(self._woken)
        try:
            while self._reader is told and self._subscription.session.end is None:
                self._woken.clear()
                yield [event for event in await self._news(told) if event.name in self._names]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._woken.wait()
        finally:
            if self._reader is told:
                self.end()

    def end(self) -> None:
        """Nobody is to read it any more."""
        self._reader = None
        self._woken.set()
        self._subscription.listening.discard(self._woken)

    async def _news(self, told: _Told) -> list[Event]:
        news = []
        active = self._subscription.following is not None
        if active != told.active:
            told.active = active
            news.append(Event("active" if active else "inactive"))
        viewers = len(self._subscription.audience)
        if viewers != told.viewers:
            told.viewers = viewers
            news.append(Event("viewercount", viewers=viewers))
        if "layers" in self._names and await self._look(told):
            news.append(Event("layers", layers=told.layers))
        return news

    async def _look(self, told: _Told) -> bool:
        """Whether the layers are worth telling again."""
        try:
            layers = await self._subscription.media()
        except EngineError:  # the session is about to end
            return False
        now = time.monotonic()
        changed = told.layers is None or _shapes(told.layers) != _shapes(layers)
        if not changed and (told.layers == layers or now - told.layers_at < _RATES_S):
            return False
        told.layers, told.layers_at = layers, now
        return True


def _shapes(layers: Mapping[int, MediumState]) -> dict[int, object]:
    return {index: state.shape for index, state in layers.items()}


class EventStreams:
    """The event streams of one session, under ids that nobody can guess."""

    def __init__(self) -> None:
        self._streams: dict[str, EventStream] = {}

    def create(self, subscription: Subscription, names: Collection[EventName]) -> str:
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
