"""A participant's part in a room: what it publishes, and whom it watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..media.engine import ConsumerId, ConsumerSpec, Engine, Kind, ProducerId, ProducerSpec
from ..session.codecs import match_payload_types
from ..session.session import Session


@dataclass(frozen=True, slots=True)
class Publication:
    """What one session publishes under an identity."""

    identity: str
    session: Session
    producers: Sequence[tuple[ProducerId, ProducerSpec]]

    @property
    def specs(self) -> list[ProducerSpec]:
        """The media, without their ids."""
        return [spec for _, spec in self.producers]

    def producer(self, kind: Kind) -> tuple[ProducerId, ProducerSpec] | None:
        """The producer of that kind, if there is one."""
        return next((producer for producer in self.producers if producer[1].kind is kind), None)


class Subscription:
    """What one session watches: the publisher called `publisher`, or the newest where that is None."""

    def __init__(
        self, session: Session, publisher: str | None, consumers: Sequence[tuple[ConsumerId, ConsumerSpec]]
    ) -> None:
        self.session = session
        self.publisher = publisher
        self.consumers = consumers
        self.following: Publication | None = None
        self._last_identity: str | None = None

    async def follow(self, engine: Engine, publication: Publication | None) -> None:
        """Watch this publication, or nobody, from now on. The viewer's streams go on unbroken."""
        if publication is self.following:
            return
        self.following = publication
        same_clock = publication is not None and publication.identity == self._last_identity
        if publication is not None:
            self._last_identity = publication.identity
        for consumer, spec in self.consumers:
            found = publication.producer(spec.kind) if publication is not None else None
            if found is None:
                await engine.bind_consumer(consumer, None)
            else:
                pairs = match_payload_types(found[1], spec)
                await engine.bind_consumer(consumer, found[0], pairs, same_clock=same_clock)
