"""A participant's part in a room: what it publishes, and whom it watches."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from ..media.engine import (
    Codec,
    ConsumerId,
    ConsumerSpec,
    Engine,
    EngineError,
    Extension,
    Kind,
    ProducerId,
    ProducerSpec,
    StreamStatistics,
)
from ..session.codecs import match_payload_types
from ..session.session import Session
from .errors import NoSuchLayer
from .layers import EncodingState, Flow, LayerWish, MediumState, Meter

_LATE_MEDIA_S = 2.0


class Publication:
    """What one session publishes under an identity: producers by the index of their media section in the SDP.

    No other publication of this process has the same `number`.
    """

    _numbers = itertools.count()

    def __init__(
        self, identity: str, session: Session, producers: Mapping[int, tuple[ProducerId, ProducerSpec]]
    ) -> None:
        self.identity = identity
        self.session = session
        self.producers = producers
        self.meter = Meter(session.statistics, list(producers.values()))
        self.number = next(self._numbers)
        self._start: Callable[[], Awaitable[None]] | None = None
        self._late: asyncio.TimerHandle | None = None

    @property
    def specs(self) -> Sequence[ProducerSpec]:
        """The media, without their ids."""
        return [spec for _, spec in self.producers.values()]

    def producer(self, kind: Kind) -> tuple[ProducerId, ProducerSpec] | None:
        """The producer of that kind, if there is one."""
        return next((producer for producer in self.producers.values() if producer[1].kind is kind), None)

    def when_media_starts(self, start: Callable[[], Awaitable[None]]) -> None:
        """Run `start` once, on the session's behalf, when viewers could decode what is published.

        That is when a keyframe has come; where there is no video, a packet of sound. With sound alone where video is
        offered, it is after _LATE_MEDIA_S: the camera may be off.
        """
        self._start = start
        self.session.on_news = self._look
        self._look()

    def end(self) -> None:
        """The session has ended: media does not start any more."""
        self._start = None
        if self._late is not None:
            self._late.cancel()

    def _look(self) -> None:
        kinds = self.session.kinds_with_media
        if Kind.VIDEO in kinds or (kinds and self.producer(Kind.VIDEO) is None):
            self._begin()
        elif kinds and self._start is not None and self._late is None:
            self._late = asyncio.get_running_loop().call_later(_LATE_MEDIA_S, self._begin)

    def _begin(self) -> None:
        start = self._start
        self.end()
        if start is not None:
            self.session.run_soon(start())

    async def media(self) -> dict[int, MediumState]:
        """The layers of each medium that has any to choose from. Raises EngineError once the session is gone."""
        states = await self.meter.encodings()
        return {
            index: MediumState(states[producer])
            for index, (producer, spec) in self.producers.items()
            if spec.kind is Kind.VIDEO
        }


class Subscription:
    """What one session watches: the publisher called `publisher`, or the newest where that is None.

    `consumers` are by the index of their media section in the SDP; `audience` is everybody who watches in the room.
    """

    def __init__(
        self,
        session: Session,
        publisher: str | None,
        consumers: Mapping[int, tuple[ConsumerId, ConsumerSpec]],
        audience: Collection[Subscription] = (),
    ) -> None:
        self.session = session
        self.publisher = publisher
        self.consumers = consumers
        self.audience = audience
        self.following: Publication | None = None
        self.listening: set[asyncio.Event] = set()  # set when something has changed
        self._wishes: dict[int, LayerWish] = {}
        self._last_identity: str | None = None
        self._changes = 0
        self._flows: Mapping[int, StreamStatistics] | None = None  # by consumer; None once it may have changed
        session.on_news = self.notify
        self._pointing = asyncio.Lock()  # a wish is resolved against whom the viewer follows

    async def follow(self, engine: Engine, publication: Publication | None) -> None:
        """Watch this publication, or nobody, from now on. The viewer's streams go on unbroken."""
        async with self._pointing:
            if publication is self.following:
                return
            self.following = publication
            same_clock = publication is not None and publication.identity == self._last_identity
            if publication is not None:
                self._last_identity = publication.identity
            for index, (consumer, spec) in self.consumers.items():
                found = publication.producer(spec.kind) if publication is not None else None
                if found is None:
                    await engine.bind_consumer(consumer, None)
                else:
                    pairs = match_payload_types(found[1], spec)
                    await engine.bind_consumer(consumer, found[0], pairs, same_clock=same_clock)
                    await self._apply(engine, index, found[1])
        self.notify()

    async def choose(self, engine: Engine, wishes: Mapping[int | None, LayerWish]) -> None:
        """Wish for layers of the pictures of these indexes, None for the first one; of publishers to come as well.

        Raises NoSuchLayer, and changes nothing, for a picture, or an encoding, that is not there.
        """
        async with self._pointing:
            found = self.following.producer(Kind.VIDEO) if self.following is not None else None
            wanted = {self._picture(index): wish for index, wish in wishes.items()}
            for wish in wanted.values():
                if found is not None:
                    wish.resolve(found[1])
            self._wishes |= wanted
            if found is not None:
                for index in wanted:
                    await self._apply(engine, index, found[1])
        self.notify()

    async def media(self) -> dict[int, MediumState]:
        """The layers of each picture. Raises EngineError once the session is gone."""
        found = self.following.producer(Kind.VIDEO) if self.following is not None else None
        encodings: Mapping[ProducerId, tuple[EncodingState, ...]] = {}
        if self.following is not None:
            try:
                encodings = await self.following.meter.encodings()
            except EngineError as error:  # the publisher has gone; another will be followed
                if not error.stale:
                    raise
        streams = await self._streams()
        states = {}
        for index, (consumer, spec) in self.consumers.items():
            if spec.kind is not Kind.VIDEO:
                continue
            known = encodings.get(found[0], ()) if found is not None else ()
            if found is not None and not _tells_spatial_layers(found[1], spec):
                known = tuple(encoding.lowest() for encoding in known)
            states[index] = MediumState(known, *_flows(streams.get(consumer)), self._wishes.get(index))
        return states

    def notify(self) -> None:
        """Something has changed for those who listen."""
        self._changes += 1
        self._flows = None
        for event in self.listening:
            event.set()

    async def _streams(self) -> Mapping[int, StreamStatistics]:
        """What is sent, read again only after a change: the core gives notice when another encoding flows."""
        if self._flows is not None:
            return self._flows
        before = self._changes
        flows = {one.id: one for one in (await self.session.statistics()).streams if one.outbound}
        if self._changes == before:
            self._flows = flows
        return flows

    def _picture(self, index: int | None) -> int:
        pictures = [number for number, (_, spec) in self.consumers.items() if spec.kind is Kind.VIDEO]
        if not pictures:
            raise NoSuchLayer("There is no picture in this session, so there are no layers.")
        if index is not None and index not in pictures:
            raise NoSuchLayer(f"Medium {index} is no picture of this session; {', '.join(map(str, pictures))} is.")
        return pictures[0] if index is None else index

    async def _apply(self, engine: Engine, index: int, spec: ProducerSpec) -> None:
        """Tell the core of the wish. A publisher that has no encoding of that name gives its highest."""
        wish = self._wishes.get(index)
        if wish is None:
            return
        try:
            encoding = wish.resolve(spec)
        except NoSuchLayer:
            encoding = None
        await engine.set_layers(self.consumers[index][0], encoding, wish.spatial, wish.temporal)


def _flows(stream: StreamStatistics | None) -> tuple[Flow | None, Flow | None]:
    """What flows and what is to flow."""
    if stream is None:
        return None, None
    current = target = None
    if stream.encoding is not None and stream.spatial is not None and stream.temporal is not None:
        current = Flow(stream.encoding, stream.spatial, stream.temporal)
    if stream.target is not None:
        target = Flow(stream.target, stream.target_spatial, stream.target_temporal)
    return current, target


def _tells_spatial_layers(source: ProducerSpec, sink: ConsumerSpec) -> bool:
    """Whether the viewer can take more than AV1's lowest spatial layer: it needs the dependency descriptor for that."""
    return source.payload_types[0].codec is not Codec.AV1 or Extension.DEPENDENCY_DESCRIPTOR in sink.extensions
