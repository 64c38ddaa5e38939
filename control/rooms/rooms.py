"""All rooms of a node: opens sessions that publish or watch, within the limits, and ends them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ..config.options import RoomOptions
from ..media.engine import ConsumerId, ConsumerSpec, ProducerId, ProducerSpec
from ..session import sdp
from ..session.negotiate import NegotiationError, RemoteTransport, agree_publish
from ..session.offer import Offers
from ..session.session import Session, SessionServices
from .admission import Admission
from .directory import Directory
from .errors import (
    Draining,
    FanwireError,
    Forbidden,
    NothingPublished,
    SessionNotFound,
    TooManyRooms,
)
from .joining import check_alive, client_keys, index_of, mids_of, random_ssrc, room_errors, sdp_session_id, stream_name
from .member import Joined, Member
from .participant import Publication, Subscription
from .policy import Permit, SessionKind
from .room import Room

log = logging.getLogger(__name__)


class Rooms:
    """The rooms of this node. A room is open from the first media of a publication to its last session.

    `opened` counts all sessions since the start, by kind. `draining` is set once no more sessions are accepted.
    """

    def __init__(self, services: SessionServices, options: RoomOptions | None = None) -> None:
        self.draining = asyncio.Event()
        self.opened: Counter[SessionKind] = Counter()
        self._services = services
        self._options = options or RoomOptions()
        self._offers = Offers()
        self._directory = Directory(services.engine, self._options.max_rooms)
        self._admission = Admission(self._options)
        self._members: dict[str, Member] = {}
        self._dtls_dropped = 0  # of sessions that have ended

    @property
    def rooms(self) -> Mapping[str, Room]:
        """Every open room by its name."""
        return self._directory.open

    @property
    def sessions(self) -> Mapping[str, Member]:
        """Every open session by its id."""
        return self._members

    @property
    def dropped_dtls_datagrams(self) -> int:
        """DTLS datagrams of all sessions so far that arrived faster than their handshakes processed them."""
        return self._dtls_dropped + sum(member.session.handshake_drops for member in self._members.values())

    def room(self, name: str, /) -> Room:
        """The open room of that name. Raises RoomNotFound."""
        return self._directory.find(name)

    def session(self, session_id: str, /) -> Member:
        """The open session of that id. Raises SessionNotFound."""
        try:
            return self._members[session_id]
        except KeyError:
            raise SessionNotFound from None

    async def publish(
        self,
        room_name: str,
        offer: str,
        /,
        *,
        identity: str | None = None,
        permit: Permit | None = None,
        client: str | None = None,
    ) -> Joined:
        """Open a session that publishes in a room.

        Without a permit the publisher may choose any identity. `client` is a key of the client's address. Raises
        SdpError, NegotiationError, Forbidden, Unavailable, TooManyUnconnected, SessionEnded.
        """
        if permit is not None:
            permit.check("publish", room_name)
            if identity not in (None, permit.identity):
                raise Forbidden(f"The token names its bearer {permit.identity!r}, not {identity!r}.")
            identity = permit.identity
        name = identity or secrets.token_urlsafe(9)
        self._check_open()
        self._check_media(offer)
        try:
            agreement = agree_publish(sdp.parse(offer))
        except NegotiationError as error:
            log.info("room %s: an offer to publish is refused: %s", room_name, error)
            raise
        description = agreement.offer
        room = self._directory.enter(room_name)
        engine = self._services.engine
        producers: dict[int, tuple[ProducerId, ProducerSpec]] = {}
        publications: list[Publication] = []

        async def leave() -> None:
            for publication in publications:
                await room.remove_publication(publication)
            await asyncio.gather(*(engine.remove_producer(producer) for producer, _ in producers.values()))

        async with self._opening(
            agreement.remote, mids_of(description), room, client_keys(client, permit), leave
        ) as session:
            answer = agreement.answer(session.local, session_id=sdp_session_id())
            for spec in answer.producers:
                producer = await engine.add_producer(session.transport, spec)
                producers[index_of(description, spec.mid)] = producer, spec
            check_alive(session)
            publication = Publication(name, session, producers)
            publications.append(publication)
            room.await_media(publication)
            publication.when_media_starts(partial(self._start, room, publication))
        log.info("session %s publishes in room %s as %s", session.id[:6], room_name, name)
        return Joined(self._enter(session, room_name, publication, name, permit), answer.sdp)

    async def subscribe(
        self,
        room_name: str,
        offer: str,
        /,
        *,
        publisher: str | None = None,
        permit: Permit | None = None,
        client: str | None = None,
    ) -> Joined:
        """Open a session that watches a room. Raises as `publish` does, and NothingPublished."""
        if permit is not None:
            permit.check("subscribe", room_name)
        self._check_open()
        self._check_media(offer)
        read = self._offers.read(offer)
        description = read.kind.description
        room = self._directory.open.get(room_name)
        source = room.find(publisher) if room is not None else None
        if room is None or source is None:
            raise NothingPublished(room_name, publisher)
        engine = self._services.engine
        consumers: dict[int, tuple[ConsumerId, ConsumerSpec]] = {}
        subscriptions: list[Subscription] = []

        async def leave() -> None:
            room.subscriptions.difference_update(subscriptions)
            await asyncio.gather(*(engine.remove_consumer(consumer) for consumer, _ in consumers.values()))

        agreement = self._offers.agree(read.kind, source.number, source.specs)
        clients = client_keys(client, permit)
        async with self._opening(read.remote, mids_of(description), room, clients, leave) as session:
            answer = agreement.answer(
                session.local,
                stream=stream_name(session),
                cname=stream_name(session),
                ssrc_factory=random_ssrc,
                session_id=sdp_session_id(),
            )
            for spec in answer.consumers:
                consumer = await engine.add_consumer(session.transport, spec)
                consumers[index_of(description, spec.mid)] = consumer, spec
            check_alive(session)
            subscription = Subscription(session, publisher, consumers, room.subscriptions)
            subscriptions.append(subscription)
            await room.add_subscription(subscription)
            check_alive(session)
        log.info("session %s watches room %s", session.id[:6], room_name)
        identity = permit.identity if permit is not None else None
        return Joined(self._enter(session, room_name, subscription, identity, permit), answer.sdp)

    def drain(self) -> int:
        """Accept no more sessions. Returns the number of open ones."""
        self.draining.set()
        return self._admission.sessions

    async def wait_until_empty(self) -> None:
        """Returns once no session is left."""
        await self._admission.wait_until_empty()

    async def close(self) -> None:
        """End all sessions."""
        ending = [member.session.close("the server is going down") for member in self._members.values()]
        for outcome in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("a session could not be ended", exc_info=outcome)

    async def _start(self, room: Room, publication: Publication) -> None:
        """Start a publication that has media, or end its session if there are too many rooms."""
        try:
            self._directory.show(room)
        except TooManyRooms as error:
            await publication.session.close(str(error))
            return
        await room.start_publication(publication)

    @asynccontextmanager
    async def _opening(
        self,
        remote: RemoteTransport,
        mids: tuple[str, ...],
        room: Room,
        clients: Sequence[str],
        leave: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[Session]:
        """A new session to set up, closed if that fails. `leave` is awaited, once or twice, when the session ends."""
        try:
            ticket = self._admission.enter(room, clients)
        except FanwireError:
            self._directory.leave(room)
            raise

        def release() -> None:
            ticket.leave()
            self._directory.leave(room)

        async def on_closed(session: Session) -> None:
            if (member := self._members.pop(session.id, None)) is not None:
                member.forget()
            self._dtls_dropped += session.handshake_drops
            try:
                await leave()
            finally:
                release()

        with room_errors():
            try:
                session = await Session.open(self._services, remote, mids, on_closed)
            except BaseException:
                release()
                raise
        session.on_connected = ticket.connect
        try:
            with room_errors(session):
                yield session
        except BaseException:
            await session.close("it could not be set up")
            await leave()  # again, for objects that were added while the session was closing
            raise

    def _check_open(self) -> None:
        if self.draining.is_set():
            raise Draining

    def _check_media(self, offer: str) -> None:
        """Check the number of media before parsing, because each costs time and memory."""
        count, most = sdp.count_media(offer), self._options.max_media_per_session
        if count > most:
            raise NegotiationError(f"The offer has {count} media sections: at most {most} are allowed.")

    def _enter(
        self,
        session: Session,
        room_name: str,
        part: Publication | Subscription,
        identity: str | None,
        permit: Permit | None,
    ) -> Member:
        member = Member(session, room_name, part, identity, permit, self._services.engine)
        self.opened[member.kind] += 1
        if session.end is None:
            self._members[session.id] = member
        else:
            member.forget()
        return member
