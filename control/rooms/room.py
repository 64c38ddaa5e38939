"""A room: its publications and subscriptions, and which publication each subscription follows."""

from __future__ import annotations

import asyncio
import logging

from ..media.engine import Engine, EngineError
from .participant import Publication, Subscription

log = logging.getLogger(__name__)


class Room:
    """The publications and subscriptions under one name. `sessions` also counts sessions that are opening or closing.

    A subscription follows the publisher that it names, or else the newest publication. The room binds all subscriptions
    again whenever a publication starts or ends.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.sessions = 0
        self.publications: list[Publication] = []  # with media, oldest first
        self._awaited: list[Publication] = []  # without media yet
        self.subscriptions: set[Subscription] = set()
        self._engine = engine
        self._binding = asyncio.Lock()

    def find(self, publisher: str | None) -> Publication | None:
        """The publication that a subscription to `publisher` follows now."""
        wanted = (one for one in reversed(self.publications) if publisher in (None, one.identity))
        return next(wanted, None)

    def await_media(self, publication: Publication) -> None:
        """Add a publication. It has no followers, and replaces none, before `start_publication`."""
        self._awaited.append(publication)

    async def start_publication(self, publication: Publication) -> None:
        """Let subscriptions follow a publication that has media. Closes older ones of the same identity."""
        if publication not in self._awaited:
            return
        self._awaited.remove(publication)
        self.publications.append(publication)
        await self._bind_all()
        for old in [*self.publications, *self._awaited]:
            if old.identity == publication.identity and old.number < publication.number:
                await old.session.close("the publisher has come back in another session")

    async def remove_publication(self, publication: Publication) -> None:
        """Remove a publication, if it is here. Its viewers follow another one, or wait."""
        publication.end()
        if publication in self._awaited:
            self._awaited.remove(publication)
        if publication in self.publications:
            self.publications.remove(publication)
            await self._bind_all()

    async def add_subscription(self, subscription: Subscription) -> None:
        """Add a subscription."""
        self.subscriptions.add(subscription)
        async with self._binding:
            await self._bind_one(subscription)

    async def _bind_all(self) -> None:
        async with self._binding:
            await asyncio.gather(*(self._bind_one(subscription) for subscription in list(self.subscriptions)))

    async def _bind_one(self, subscription: Subscription) -> None:
        """Bind one subscription. A failure affects neither its publisher nor other viewers."""
        try:
            await subscription.follow(self._engine, self.find(subscription.publisher))
        except EngineError as error:
            # The viewer or the publisher has left meanwhile; leaving binds the subscriptions again.
            if not error.stale:
                log.warning("room %s: a viewer could not be bound to its publisher: %s", self.name, error)
            subscription.following = None
        except Exception:
            log.exception("room %s: a viewer could not be bound to its publisher", self.name)
            subscription.session.end_soon("an internal error")
