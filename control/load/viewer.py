"""A viewer: receives all media that the server sends, and sends RTCP feedback as a browser does."""

from __future__ import annotations

from ..media.engine import TransportId
from ..session.bundle import LocalTransport
from .answer import Answer, AnswerError
from .client import Client
from .offer import offer_to_watch


class Viewer(Client):
    """A client of a WHEP endpoint."""

    def _offer(self, local: LocalTransport) -> str:
        return offer_to_watch(local)

    async def _accept(self, answer: Answer, transport: TransportId) -> None:
        producers = answer.producers()
        if not producers:
            raise AnswerError("The answer sends nothing.")
        for spec in producers:
            await self._services.engine.add_producer(transport, spec)
