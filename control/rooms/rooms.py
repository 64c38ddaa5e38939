"""All rooms of a node: joining them to publish or to watch, and the sessions that result."""

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
from .joining import check_alive, client_keys, in_words, index_of, mids_of, random_ssrc, sdp_session_id, stream_name
from .member import Joined, Member
from .participant import Publication, Subscription
from .policy import Permit, SessionKind
from .room import Room

log = logging.getLogger(__name__)


class Rooms:
    """The rooms of this node. A room is open from the first media of a publication to its last session.

    `opened` counts the sessions that ever joined, by kind. `draining` is set once nobody is let in any more.
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
        self._dtls_dropped = 0  # by sessions that have ended

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
        """Datagrams of handshakes, of all sessions so far, that came faster than they could be taken."""
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
        room: str,
        offer: str,
        /,
        *,
        identity: str | None = None,
        permit: Permit | None = None,
        client: str | None = None,
    ) -> Joined:
        """Open a session that sends into `room`.

        Without a permit the publisher may call itself what it likes. `client` is a key of the client's address. Raises
        SdpError, NegotiationError, Forbidden, Unavailable, TooManyUnconnected, SessionEnded.
        """
        if permit is not None:
            permit.check("publish", room)
            if identity not in (None, permit.identity):
                raise Forbidden(f"The token names its bearer {permit.identity!r}, not {identity!r}.")
            identity = permit.identity
        name = identity or secrets.token_urlsafe(9)
        self._check_open()
        self._check_media(offer)
        try:
            agreement = agree_publish(sdp.parse(offer))
        except NegotiationError as error:
            log.info("room %s: an offer to publish is refused: %s", room, error)
            raise
        description = agreement.offer
        place = self._directory.enter(room)
        engine = self._services.engine
        producers: dict[int, tuple[ProducerId, ProducerSpec]] = {}
        publications: list[Publication] = []

        async def leave() -> None:
            for publication in publications:
                await place.remove_publication(publication)
            await asyncio.gather(*(engine.remove_producer(producer) for producer, _ in producers.values()))

        async with self._opening(
            agreement.remote, mids_of(description), place, client_keys(client, permit), leave
        ) as session:
            answer = agreement.answer(session.local, session_id=sdp_session_id())
            for spec in answer.producers:
                producer = await engine.add_producer(session.transport, spec)
                producers[index_of(description, spec.mid)] = producer, spec
            check_alive(session)
            publication = Publication(name, session, producers)
            publications.append(publication)
            place.await_media(publication)
            publication.when_media_starts(partial(self._start, place, publication))
        log.info("session %s publishes in room %s as %s", session.id[:6], room, name)
        return Joined(self._enter(session, room, publication, name, permit), answer.sdp)

    async def subscribe(
        self,
        room: str,
        offer: str,
        /,
        *,
        publisher: str | None = None,
        permit: Permit | None = None,
        client: str | None = None,
    ) -> Joined:
        """Open a session that receives from `room`. Raises as `publish` does, and NothingPublished."""
        if permit is not None:
            permit.check("subscribe", room)
        self._check_open()
        self._check_media(offer)
        read = self._offers.read(offer)
        description = read.kind.description
        place = self._directory.open.get(room)
        source = place.find(publisher) if place is not None else None
        if place is None or source is None:
            raise NothingPublished(room, publisher)
        engine = self._services.engine
        consumers: dict[int, tuple[ConsumerId, ConsumerSpec]] = {}
        subscriptions: list[Subscription] = []

        async def leave() -> None:
            place.subscriptions.difference_update(subscriptions)
            await asyncio.gather(*(engine.remove_consumer(consumer) for consumer, _ in consumers.values()))

        agreement = self._offers.agree(read.kind, source.number, source.specs)
        clients = client_keys(client, permit)
        async with self._opening(read.remote, mids_of(description), place, clients, leave) as session:
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
            subscription = Subscription(session, publisher, consumers, place.subscriptions)
            subscriptions.append(subscription)
            await place.add_subscription(subscription)
            check_alive(session)
        log.info("session %s watches room %s", session.id[:6], room)
        identity = permit.identity if permit is not None else None
        return Joined(self._enter(session, room, subscription, identity, permit), answer.sdp)

    def drain(self) -> int:
        """Let nobody in from now on; says how many sessions there still are."""
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

    async def _start(self, place: Room, publication: Publication) -> None:
        """A publication has media."""
        try:
            self._directory.show(place)
        except TooManyRooms as error:
            await publication.session.close(str(error))
            return
        await place.start_publication(publication)

    @asynccontextmanager
    async def _opening(
        self,
        remote: RemoteTransport,
        mids: tuple[str, ...],
        place: Room,
        clients: Sequence[str],
        leave: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[Session]:
        """A new session to set up; should that fail, it is closed. `leave` is awaited, once or twice, when it ends."""
        try:
            ticket = self._admission.enter(place, clients)
        except FanwireError:
            self._directory.leave(place)
            raise

        def release() -> None:
            ticket.leave()
            self._directory.leave(place)

        async def on_closed(session: Session) -> None:
            if (member := self._members.pop(session.id, None)) is not None:
                member.forget()
            self._dtls_dropped += session.handshake_drops
            try:
                await leave()
            finally:
                release()

        with in_words():
            try:
                session = await Session.open(self._services, remote, mids, on_closed)
            except BaseException:
                release()
                raise
        session.on_connected = ticket.connect
        try:
            with in_words(session):
                yield session
        except BaseException:
            await session.close("it could not be set up")
            await leave()  # what was added while the session was closing already
            raise

    def _check_open(self) -> None:
        if self.draining.is_set():
            raise Draining

    def _check_media(self, offer: str) -> None:
        """Before anything is read: each medium costs time and memory."""
        count, most = sdp.count_media(offer), self._options.max_media_per_session
        if count > most:
            raise NegotiationError(f"The offer has {count} media sections: one session may have {most}.")

    def _enter(
        self,
        session: Session,
        room: str,
        part: Publication | Subscription,
        identity: str | None,
        permit: Permit | None,
    ) -> Member:
        member = Member(session, room, part, identity, permit, self._services.engine)
        self.opened[member.kind] += 1
        if session.end is None:
            self._members[session.id] = member
        else:
            member.forget()
        return member
