"""The part of a session in a room: a Publication or a Subscription."""

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
from .layers import EncodingState, Flow, MediumState, Meter, PreferredLayers

_LATE_MEDIA_S = 2.0


class Publication:
    """The media that one session publishes under an identity: producers by the index of their section in the SDP.

    `number` is unique in the process.
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
        """The specs of the producers."""
        return [spec for _, spec in self.producers.values()]

    def producer(self, kind: Kind) -> tuple[ProducerId, ProducerSpec] | None:
        """The first producer of this kind, or None."""
        return next((producer for producer in self.producers.values() if producer[1].kind is kind), None)

    def when_media_starts(self, start: Callable[[], Awaitable[None]]) -> None:
        """Run `start` once, as a task of the session, when viewers can decode the media.

        That is at the first keyframe, or without video at the first packet of audio. If audio arrives but the offered
        video does not, it is after _LATE_MEDIA_S, because the camera may be off.
        """
        self._start = start
        self.session.on_news = self._look
        self._look()

    def end(self) -> None:
        """Cancel `when_media_starts`: the session has ended."""
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
        """The layers of each picture by its index in the SDP. Raises EngineError once the session is gone."""
        states = await self.meter.encodings()
        return {
            index: MediumState(states[producer])
            for index, (producer, spec) in self.producers.items()
            if spec.kind is Kind.VIDEO
        }


class Subscription:
    """The media that one session watches: of the identity `publisher`, or of the newest publication where that is None.

    `consumers` are by the index of their media section in the SDP; `audience` are all subscriptions of the room.
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
        self.listening: set[asyncio.Event] = set()  # set by `notify`
        self._preferred: dict[int, PreferredLayers] = {}
        self._last_identity: str | None = None
        self._changes = 0
        self._flows: Mapping[int, StreamStatistics] | None = None  # by consumer; None after a change
        session.on_news = self.notify
        self._binding = asyncio.Lock()  # `choose` resolves encodings against the publication that `follow` sets

    async def follow(self, engine: Engine, publication: Publication | None) -> None:
        """Bind the consumers to this publication, or to none. The viewer's streams stay continuous."""
        async with self._binding:
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

    async def choose(self, engine: Engine, choices: Mapping[int | None, PreferredLayers]) -> None:
        """Set the preferred layers of pictures by index, None for the first. They also apply to later publications.

        Raises NoSuchLayer for an unknown picture or encoding, and changes nothing then.
        """
        async with self._binding:
            found = self.following.producer(Kind.VIDEO) if self.following is not None else None
            wanted = {self._picture(index): preferred for index, preferred in choices.items()}
            for preferred in wanted.values():
                if found is not None:
                    preferred.resolve(found[1])
            self._preferred |= wanted
            if found is not None:
                for index in wanted:
                    await self._apply(engine, index, found[1])
        self.notify()

    async def media(self) -> dict[int, MediumState]:
        """The layers of each picture by its index in the SDP. Raises EngineError once the session is gone."""
        found = self.following.producer(Kind.VIDEO) if self.following is not None else None
        encodings: Mapping[ProducerId, tuple[EncodingState, ...]] = {}
        if self.following is not None:
            try:
                encodings = await self.following.meter.encodings()
            except EngineError as error:  # the publisher has left; `follow` comes next
                if not error.stale:
                    raise
        streams = await self._streams()
        states = {}
        for index, (consumer, spec) in self.consumers.items():
            if spec.kind is not Kind.VIDEO:
                continue
            known = encodings.get(found[0], ()) if found is not None else ()
            if found is not None and not _receives_spatial_layers(found[1], spec):
                known = tuple(encoding.lowest() for encoding in known)
            states[index] = MediumState(known, *_flows(streams.get(consumer)), self._preferred.get(index))
        return states

    def notify(self) -> None:
        """Wake all listeners after a change of the publication, the layers or the audience."""
        self._changes += 1
        self._flows = None
        for event in self.listening:
            event.set()

    async def _streams(self) -> Mapping[int, StreamStatistics]:
        """The outbound streams, cached until `notify`: the core reports a change of the current encoding."""
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
            raise NoSuchLayer("This session has no picture, so it has no layers.")
        if index is not None and index not in pictures:
            known = ", ".join(map(str, pictures))
            raise NoSuchLayer(f"Medium {index} is not a picture of this session; its pictures are {known}.")
        return pictures[0] if index is None else index

    async def _apply(self, engine: Engine, index: int, spec: ProducerSpec) -> None:
        """Send the preferred layers to the core: the highest encoding if the publisher lacks the preferred one."""
        preferred = self._preferred.get(index)
        if preferred is None:
            return
        try:
            encoding = preferred.resolve(spec)
        except NoSuchLayer:
            encoding = None
        await engine.set_layers(self.consumers[index][0], encoding, preferred.spatial, preferred.temporal)


def _flows(stream: StreamStatistics | None) -> tuple[Flow | None, Flow | None]:
    """The current and the target layers of a stream."""
    if stream is None:
        return None, None
    current = target = None
    if stream.encoding is not None and stream.spatial is not None and stream.temporal is not None:
        current = Flow(stream.encoding, stream.spatial, stream.temporal)
    if stream.target is not None:
        target = Flow(stream.target, stream.target_spatial, stream.target_temporal)
    return current, target


def _receives_spatial_layers(source: ProducerSpec, sink: ConsumerSpec) -> bool:
    """Whether the viewer can receive more than the lowest spatial layer: AV1 needs the dependency descriptor for it."""
    return source.payload_types[0].codec is not Codec.AV1 or Extension.DEPENDENCY_DESCRIPTOR in sink.extensions
