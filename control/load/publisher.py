"""A publisher: sends the clip that a Source feeds into the engine."""

from __future__ import annotations

from collections.abc import Mapping

from ..media.engine import Kind, ProducerId, ProducerSpec, TransportId
from ..session.bundle import LocalTransport
from ..session.codecs import match_payload_types
from .answer import Answer, AnswerError
from .client import Client, ClientServices
from .offer import Sources, offer_to_publish


class Publisher(Client):
    """A client of a WHIP endpoint. It sends `sources`: the engine's producers and their specs, by kind."""

    def __init__(
        self, services: ClientServices, url: str, sources: Mapping[Kind, tuple[ProducerId, ProducerSpec]]
    ) -> None:
        super().__init__(services, url)
        self._fed = sources
        self._names = Sources.make()

    def _offer(self, local: LocalTransport) -> str:
        return offer_to_publish(local, self._names)

    async def _accept(self, answer: Answer, transport: TransportId) -> None:
        consumers = [spec for spec in answer.consumers(self._names) if spec.kind in self._fed]
        if not consumers:
            raise AnswerError("The answer accepts none of the published media.")
        for spec in consumers:
            producer, produced = self._fed[spec.kind]
            consumer = await self._services.engine.add_consumer(transport, spec)
            await self._services.engine.bind_consumer(consumer, producer, match_payload_types(produced, spec))
