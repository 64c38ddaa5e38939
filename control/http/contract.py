"""The interface of the HTTP layer to the rooms, as protocols, and the keys of the application that hold it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Protocol

from aiohttp import web

from ..rooms.events import Event, EventName
from ..rooms.layers import PreferredLayers
from ..rooms.policy import Permit
from .access import Access


class SignalingSession(Protocol):
    """One participant's WebRTC session, as signaling sees it.

    Errors are those of `rooms.errors`; a session that has ended raises SessionNotFound for everything but `close`.
    """

    @property
    def id(self) -> str:
        """Unguessable, because without keys it suffices to change and end the session."""

    @property
    def etag(self) -> str:
        """The entity tag of the current ICE session, without quotes. A restart changes it."""

    @property
    def room(self) -> str:
        """The name of the room that the session is in."""

    @property
    def kind(self) -> str:
        """`publish` or `subscribe`."""

    def authorize(self, permit: Permit, /) -> None:
        """Raises Forbidden unless the session belongs to the bearer of this permit."""

    async def trickle(self, fragment: str, /) -> None:
        """Take further ICE candidates of the client (RFC 8840). Raises SdpError."""

    async def restart_ice(self, fragment: str, /) -> str:
        """Restart ICE with the client's new credentials; returns the server's fragment. Raises SdpError."""

    async def choose_layers(self, choices: Mapping[int | None, PreferredLayers], /) -> None:
        """Set the preferred layers of pictures by index in the SDP, None for the first. Raises NoSuchLayer."""

    def open_events(self, names: Collection[EventName], /) -> str:
        """Open a stream of these events; gives its id, which is unguessable.

        Raises TooManyStreams, NotAViewer, NotConnected.
        """

    def read_events(self, stream_id: str, /) -> AsyncGenerator[list[Event], None]:
        """New events in batches, at least once a second, until the stream or the session ends.

        Raises StreamNotFound.
        """

    def close_events(self, stream_id: str, /) -> None:
        """End a stream of events. Raises StreamNotFound."""

    async def close(self) -> None:
        """End the session."""


class Joined(Protocol):
    """The outcome of joining a room."""

    @property
    def session(self) -> SignalingSession:
        """The session that was opened."""

    @property
    def answer(self) -> str:
        """The SDP answer to the client's offer."""


class SignalingApi(Protocol):
    """The rooms of this node."""

    async def publish(
        self, room: str, offer: str, /, *, identity: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        """Open a session that sends into `room`. `client` is a key of the client's address.

        Raises SdpError, NegotiationError, Forbidden, Unavailable, TooManyUnconnected, SessionEnded.
        """

    async def subscribe(
        self, room: str, offer: str, /, *, publisher: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        """Open a session that receives from `room`. Raises as `publish` does, and NothingPublished."""

    def session(self, session_id: str, /) -> SignalingSession:
        """The open session of that id. Raises SessionNotFound."""


ROOMS: web.AppKey[SignalingApi] = web.AppKey("rooms")
"""The rooms that an application serves."""

ACCESS: web.AppKey[Access] = web.AppKey("access")
"""The check of tokens and limits."""

ICE_LINKS: web.AppKey[tuple[str, ...]] = web.AppKey("ice_links")
"""The Link header values of the STUN and TURN servers."""
