"""A room: who publishes in it, who watches, and whom each viewer follows."""

from __future__ import annotations

import asyncio
import logging

from ..media.engine import Engine, EngineError
from .participant import Publication, Subscription

log = logging.getLogger(__name__)


class Room:
    """The publications and subscriptions under one name; `sessions` counts those that come and go as well.

    A viewer that named a publisher follows that identity, one that named none follows the newest publication. Whenever
    publications come and go, every viewer is pointed at whom it should follow now.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.sessions = 0
        self.publications: list[Publication] = []  # those that have media; the newest last
        self._awaited: list[Publication] = []  # those that have none yet
        self.subscriptions: set[Subscription] = set()
        self._engine = engine
        self._pointing = asyncio.Lock()

    def find(self, publisher: str | None) -> Publication | None:
        """Whom a viewer that asks for `publisher` follows now."""
        wanted = (one for one in reversed(self.publications) if publisher in (None, one.identity))
        return next(wanted, None)

    def await_media(self, publication: Publication) -> None:
        """Let a publication in. Nobody follows it, and it replaces none, before `start_publication`."""
        self._awaited.append(publication)

    async def start_publication(self, publication: Publication) -> None:
        """The publication has media: viewers follow it. Older ones of the same identity are closed."""
        if publication not in self._awaited:
            return
        self._awaited.remove(publication)
        self.publications.append(publication)
        await self._point_all()
        for old in [*self.publications, *self._awaited]:
            if old.identity == publication.identity and old.number < publication.number:
                await old.session.close("the publisher has come back in another session")

    async def remove_publication(self, publication: Publication) -> None:
        """Let a publication go, if it is here; its viewers follow somebody else, or wait."""
        publication.end()
        if publication in self._awaited:
            self._awaited.remove(publication)
        if publication in self.publications:
            self.publications.remove(publication)
            await self._point_all()

    async def add_subscription(self, subscription: Subscription) -> None:
        """Let a viewer in."""
        self.subscriptions.add(subscription)
        async with self._pointing:
            await self._point_one(subscription)

    async def _point_all(self) -> None:
        async with self._pointing:
            await asyncio.gather(*(self._point_one(subscription) for subscription in list(self.subscriptions)))

    async def _point_one(self, subscription: Subscription) -> None:
        """Point one viewer. What fails is that viewer's alone: neither its publisher nor other viewers feel it."""
        try:
            await subscription.follow(self._engine, self.find(subscription.publisher))
        except EngineError as error:
            # The viewer, or whom it was to follow, has gone meanwhile: whoever noticed points it anew.
            if not error.stale:
                log.warning("room %s: a viewer could not be pointed at its publisher: %s", self.name, error)
            subscription.following = None
        except Exception:
            log.exception("room %s: a viewer could not be pointed at its publisher", self.name)
            subscription.session.end_soon("an internal error")
