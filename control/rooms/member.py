"""A member of a room: a session with its owner and its expiry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ..media.engine import Engine, EngineError, TransportStatistics
from ..session.session import Session
from .errors import Forbidden, NotAViewer, NotConnected, SessionNotFound
from .events import Event, EventName, EventStreams
from .layers import MediumState, PreferredLayers
from .participant import Publication, Subscription
from .policy import Permit, SessionKind


class Member:
    """A session and its part in a room.

    `identity` is the publisher's name, or the name in a viewer's token; None for a viewer without one. `joined_at` is
    Unix time in seconds. A session that was opened with a token ends when that expires.
    """

    def __init__(
        self,
        session: Session,
        room: str,
        part: Publication | Subscription,
        identity: str | None,
        permit: Permit | None,
        engine: Engine,
    ) -> None:
        self.session = session
        self.room = room
        self.kind: SessionKind = "publish" if isinstance(part, Publication) else "subscribe"
        self.identity = identity
        self.joined_at = time.time()
        self._part = part
        self._permit = permit
        self._engine = engine
        self._streams = EventStreams()
        self._expiry: asyncio.TimerHandle | None = None
        self._arm()

    @property
    def id(self) -> str:
        """Unguessable, because without keys it suffices to change and end the session."""
        return self.session.id

    @property
    def etag(self) -> str:
        """The entity tag of the current ICE session; a restart changes it."""
        return self.session.etag

    @property
    def expires_at(self) -> float | None:
        """The end of the session at the latest (Unix time in seconds), or None."""
        return self._permit.expires_at if self._permit is not None else None

    def authorize(self, permit: Permit) -> None:
        """Raises Forbidden unless the bearer owns this session. A token with a later expiry prolongs the session."""
        permit.check(self.kind, self.room)
        if self._permit is None or permit.identity != self._permit.identity:
            raise Forbidden("The session belongs to another bearer.")
        if permit.expires_at > self._permit.expires_at:
            self._permit = permit
            self._arm()

    async def trickle(self, fragment: str, /) -> None:
        """Take further ICE candidates of the client (RFC 8840). Raises SdpError."""
        await self.session.trickle(fragment)

    async def restart_ice(self, fragment: str, /) -> str:
        """Restart ICE with the client's new credentials; returns the server's fragment. Raises SdpError."""
        with _session_not_found():
            return await self.session.restart_ice(fragment)

    async def statistics(self) -> TransportStatistics:
        """The statistics of the session's transport. Raises SessionNotFound."""
        with _session_not_found():
            return await self.session.statistics()

    async def media(self) -> dict[int, MediumState]:
        """The layers of each picture by its index in the SDP. Raises SessionNotFound."""
        with _session_not_found():
            return await self._part.media()

    async def choose_layers(self, choices: Mapping[int | None, PreferredLayers], /) -> None:
        """Set the preferred layers of pictures by index in the SDP, None for the first.

        Raises NoSuchLayer or NotAViewer, and changes nothing then.
        """
        with _session_not_found():
            await self._watching().choose(self._engine, choices)

    def open_events(self, names: Collection[EventName], /) -> str:
        """Open a stream of these events; returns its id. Raises TooManyStreams, NotAViewer, NotConnected."""
        watching = self._watching()
        if not self.session.connected:
            raise NotConnected
        return self._streams.create(watching, names)

    def read_events(self, stream_id: str, /) -> AsyncGenerator[list[Event], None]:
        """New events in batches, until the stream or the session ends. Raises StreamNotFound."""
        return self._streams.find(stream_id).batches()

    def close_events(self, stream_id: str, /) -> None:
        """End a stream of events. Raises StreamNotFound."""
        self._streams.remove(stream_id)

    async def close(self) -> None:
        """End the session."""
        await self.session.close()

    def forget(self) -> None:
        """Cancel the expiry of a session that has ended, and notify the other viewers."""
        self._disarm()
        if isinstance(self._part, Subscription):
            self._part.notify()

    def _watching(self) -> Subscription:
        if not isinstance(self._part, Subscription):
            raise NotAViewer
        return self._part

    def _disarm(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()

    def _arm(self) -> None:
        self._disarm()
        if self._permit is not None:
            delay_s = self._permit.expires_at - time.time()
            self._expiry = asyncio.get_running_loop().call_later(
                delay_s, self.session.end_soon, "the token has expired"
            )


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome of joining: the session, and the SDP answer to the client's offer."""

    session: Member
    answer: str


@contextmanager
def _session_not_found() -> Iterator[None]:
    """Turns the EngineError of a closed transport into SessionNotFound."""
    try:
        yield
    except EngineError as error:
        if error.stale:
            raise SessionNotFound from error
        raise
