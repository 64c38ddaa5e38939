"""All rooms of a node: joining them to publish or to watch, and the sessions that result."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from ..session import sdp
from ..session.description import SessionDescription
from ..session.dtls import DtlsError
from ..session.negotiate import NegotiationError, answer_publish, answer_subscribe, remote_transport
from ..session.session import Session, SessionServices
from .errors import NothingPublished, SessionNotFound
from .participant import Publication, Subscription
from .room import Room

log = logging.getLogger(__name__)

SessionKind = Literal["publish", "subscribe"]


@dataclass(frozen=True, slots=True)
class Member:
    """A session and its place in a room."""

    session: Session
    room: str
    kind: SessionKind

    @property
    def id(self) -> str:
        """Unguessable: knowing it is the permission to change and end the session."""
        return self.session.id

    @property
    def etag(self) -> str:
        """Names the current ICE session; a restart changes it."""
        return self.session.etag

    async def trickle(self, fragment: str, /) -> None:
        """Take further ICE candidates of the client (RFC 8840). Raises SdpError."""
        await self.session.trickle(fragment)

    async def restart_ice(self, fragment: str, /) -> str:
        """Restart ICE with the client's new credentials; gives the answering fragment. Raises SdpError."""
        return await self.session.restart_ice(fragment)

    async def close(self) -> None:
        """End the session."""
        await self.session.close()


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome of joining: the session, and the SDP answer to the client's offer."""

    session: Member
    answer: str


class Rooms:
    """The rooms of this node. A room is there from its first publication to its last member."""

    def __init__(self, services: SessionServices) -> None:
        self._services = services
        self._rooms: dict[str, Room] = {}
        self._members: dict[str, Member] = {}

    def session(self, session_id: str, /) -> Member:
        """The open session of that id. Raises SessionNotFound."""
        try:
            return self._members[session_id]
        except KeyError:
            raise SessionNotFound from None

    async def publish(self, room: str, offer: str, /, *, identity: str | None) -> Joined:
        """Open a session that sends into `room`. Raises SdpError, NegotiationError."""
        description = sdp.parse(offer)
        place = self._rooms.setdefault(room, Room(room, self._services.engine))
        publications: list[Publication] = []

        async def leave(_: Session) -> None:
            for publication in publications:
                await place.remove_publication(publication)

        try:
            session = await self._open(description, place, leave)
            try:
                answer = answer_publish(description, session.local, session_id=_sdp_session_id())
                engine = self._services.engine
                producers = [(await engine.add_producer(session.transport, spec), spec) for spec in answer.producers]
                publication = Publication(identity or secrets.token_urlsafe(9), session, producers)
                publications.append(publication)
                await place.add_publication(publication)
            except BaseException:
                await session.close("it could not be set up")
                raise
        finally:
            self._forget_if_empty(place)
        log.info("session %s publishes in room %s as %s", session.id[:6], room, publication.identity)
        return Joined(self._enter(session, room, "publish"), answer.sdp)

    async def subscribe(self, room: str, offer: str, /, *, publisher: str | None) -> Joined:
        """Open a session that receives from `room`. Raises as `publish` does, and NothingPublished."""
        description = sdp.parse(offer)
        place = self._rooms.get(room)
        source = place.find(publisher) if place is not None else None
        if place is None or source is None:
            raise NothingPublished(room, publisher)
        subscriptions: list[Subscription] = []

        async def leave(_: Session) -> None:
            for subscription in subscriptions:
                await place.remove_subscription(subscription)

        try:
            session = await self._open(description, place, leave)
            try:
                answer = answer_subscribe(
                    description,
                    session.local,
                    sources=source.specs,
                    stream=_stream_name(session),
                    cname=_stream_name(session),
                    ssrc_factory=_ssrc,
                    session_id=_sdp_session_id(),
                )
                engine = self._services.engine
                consumers = [(await engine.add_consumer(session.transport, spec), spec) for spec in answer.consumers]
                subscription = Subscription(session, publisher, consumers)
                subscriptions.append(subscription)
                await place.add_subscription(subscription)
            except BaseException:
                await session.close("it could not be set up")
                raise
        finally:
            self._forget_if_empty(place)
        log.info("session %s watches room %s", session.id[:6], room)
        return Joined(self._enter(session, room, "subscribe"), answer.sdp)

    async def close(self) -> None:
        """End all sessions."""
        for member in list(self._members.values()):
            await member.session.close("the server is going down")

    async def _open(
        self, description: SessionDescription, place: Room, leave: Callable[[Session], Awaitable[None]]
    ) -> Session:
        remote = remote_transport(description)
        mids = tuple(media.mid for media in description.medias if media.mid)

        async def on_closed(session: Session) -> None:
            self._members.pop(session.id, None)
            await leave(session)
            self._forget_if_empty(place)

        try:
            return await Session.open(self._services, remote, mids, on_closed)
        except DtlsError as error:
            raise NegotiationError(str(error)) from error

    def _enter(self, session: Session, room: str, kind: SessionKind) -> Member:
        member = Member(session, room, kind)
        if session.end is None:
            self._members[session.id] = member
        return member

    def _forget_if_empty(self, place: Room) -> None:
        if place.empty and self._rooms.get(place.name) is place:
            del self._rooms[place.name]


def _ssrc() -> int:
    return secrets.randbelow(0xFFFFFFFE) + 1


def _sdp_session_id() -> int:
    return secrets.randbits(62)


def _stream_name(session: Session) -> str:
    return f"fanwire-{session.id[:8]}"
