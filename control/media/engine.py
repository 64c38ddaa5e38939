"""The seam: the one class by which the control plane opens transports and directs media."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Self

from .errors import EngineError
from .fastpath import (
    AddConsumer,
    AddProducer,
    Backend,
    BackendError,
    BindConsumer,
    CloseReason,
    Codec,
    ConsumerSpec,
    Encoding,
    ErrorCode,
    Extension,
    Kind,
    Latency,
    OpenTransport,
    Path,
    PayloadType,
    ProducerSpec,
    ReadStatistics,
    RemoveConsumer,
    RemoveProducer,
    RestartIce,
    SetConsent,
    SetKeys,
    SetLayers,
    SrtpProfile,
    StreamStatistics,
    TransportChange,
    TransportState,
    TransportStatistics,
    choose,
)
from .ids import ConsumerId, ProducerId, TransportId, engine_id, local_id
from .keys import SrtpKeys
from .relays import Relays
from .worker_handle import Addresses, TransportListener, WorkerHandle, WorkerNumbers
from .workers import EngineConfig, Workers

__all__ = [
    "Addresses",
    "Backend",
    "BackendError",
    "CloseReason",
    "Codec",
    "ConsumerId",
    "ConsumerSpec",
    "Encoding",
    "Engine",
    "EngineConfig",
    "EngineError",
    "Extension",
    "IceCredentials",
    "Kind",
    "Latency",
    "Path",
    "PayloadType",
    "ProducerId",
    "ProducerSpec",
    "SrtpKeys",
    "SrtpProfile",
    "StreamStatistics",
    "TransportChange",
    "TransportId",
    "TransportListener",
    "TransportState",
    "TransportStatistics",
    "WorkerNumbers",
]

log = logging.getLogger(__name__)


class IceCredentials(NamedTuple):
    """The ICE ufrag and password of one side."""

    ufrag: str
    pwd: str


NO_CREDENTIALS = IceCredentials("", "")


class Engine:
    """The workers of this node. Methods raise EngineError where a worker refuses.

    Use it as an async context manager: it chooses the crypto library (BackendError), binds the sockets (OSError), and
    runs the threads. `workers`, `producers` and `consumers` are for the modules of this folder.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.options = config.options
        self.workers = Workers(config)
        self.producers: dict[ProducerId, ProducerSpec] = {}
        self.consumers: dict[ConsumerId, ConsumerSpec] = {}
        self.relays = Relays(self.workers)
        self._bound: dict[ConsumerId, ProducerId] = {}

    async def __aenter__(self) -> Self:
        self.crypto = choose(self.options.crypto)
        log.info("media is encrypted by %s %s: %s", *self.crypto)
        self.workers.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.workers.stop()

    def addresses(self, transport: TransportId) -> Addresses:
        """The addresses that the transport's worker has bound."""
        return self.workers.of(transport).addresses

    async def open_transport(
        self, ufrag: str, pwd: str, listener: TransportListener, *, peer: IceCredentials = NO_CREDENTIALS
    ) -> TransportId:
        """Open a transport with these local ICE credentials on the worker with the fewest transports.

        `peer` are the peer's credentials: the worker validates new paths with them.
        """
        worker = self.workers.least_loaded()
        command = OpenTransport(
            ufrag,
            pwd,
            consent_us=int(self.options.consent_timeout_s * 1e6),
            connect_us=int(self.options.connect_timeout_s * 1e6),
            rtcp_ssrc=random.randrange(1, 1 << 32),
            first_transport_cc=random.getrandbits(16),
            publish_bps=self.options.max_publish_bps,
            peer_ufrag=peer.ufrag,
            peer_pwd=peer.pwd,
        )
        return TransportId(engine_id(worker.index, await worker.open_transport(command, listener)))

    async def restart_ice(self, transport: TransportId, ufrag: str, pwd: str, *, peer: IceCredentials) -> None:
        """Give the transport new credentials; its old ones are valid until the first use of the new ones."""
        await self.workers.of(transport).ask(RestartIce(local_id(transport), ufrag, pwd, *peer))

    async def set_keys(self, transport: TransportId, keys: SrtpKeys) -> None:
        """Give the transport its SRTP keys, once: media flows from now on."""
        command = SetKeys(local_id(transport), keys.profile, keys.local, keys.remote)
        await self.workers.of(transport).ask(command)

    def send_datagram(self, transport: TransportId, data: bytes) -> None:
        """Send a DTLS datagram over the transport's path. It may be lost, as any datagram."""
        self.workers.of(transport).send_datagram(local_id(transport), data)

    async def set_consent(self, transport: TransportId, seconds: float) -> None:
        """Set the time after which the transport closes without an authenticated packet from its peer."""
        await self.workers.of(transport).ask(SetConsent(local_id(transport), int(seconds * 1e6)))

    async def close_transport(self, transport: TransportId) -> None:
        """Close the transport with its producers and consumers. Closing it again does nothing."""
        await self.workers.of(transport).close_transport(local_id(transport))

    async def add_producer(self, transport: TransportId, spec: ProducerSpec) -> ProducerId:
        """Expect one medium from the transport's peer."""
        worker = self.workers.of(transport)
        added = await worker.ask(AddProducer(local_id(transport), spec))
        producer = ProducerId(engine_id(worker.index, added.id))
        self.producers[producer] = spec
        return producer

    async def remove_producer(self, producer: ProducerId) -> None:
        """Remove a producer and unbind its consumers. Its transport may be closed already."""
        if self.producers.pop(producer, None) is None:
            return
        await self.relays.remove(producer)
        await self.workers.of(producer).ask(RemoveProducer(local_id(producer)), may_be_gone=True)

    async def add_consumer(self, transport: TransportId, spec: ConsumerSpec) -> ConsumerId:
        """Prepare to send one medium to the transport's peer. The consumer is bound to no producer yet."""
        worker = self.workers.of(transport)
        command = AddConsumer(
            local_id(transport),
            spec,
            first_seq16=random.randrange(1, 1 << 15),
            first_rtx_seq16=random.getrandbits(15),
            first_timestamp=random.getrandbits(32),
        )
        consumer = ConsumerId(engine_id(worker.index, (await worker.ask(command)).id))
        self.consumers[consumer] = spec
        return consumer

    async def bind_consumer(
        self,
        consumer: ConsumerId,
        producer: ProducerId | None,
        payload_types: Iterable[tuple[int, int]] = (),
        *,
        same_clock: bool = False,
    ) -> None:
        """Bind a consumer to a producer of any worker, or to none. Its SSRC, numbers and timestamps stay continuous.

        `payload_types` pairs the producer's payload types with the consumer's. `same_clock`: the device of the previous
        producer stamps this one as well.
        """
        worker = self.workers.of(consumer)
        before = self._bound.pop(consumer, None)
        try:
            if producer is None:
                await worker.ask(BindConsumer(local_id(consumer), 0), may_be_gone=True)
            else:
                await self._bind(consumer, producer, worker, dict(payload_types), same_clock)
        finally:
            if before is not None:
                await self.relays.detach(before, worker)

    async def remove_consumer(self, consumer: ConsumerId) -> None:
        """Remove a consumer. Its transport may be closed already."""
        if self.consumers.pop(consumer, None) is None:
            return
        worker = self.workers.of(consumer)
        await worker.ask(RemoveConsumer(local_id(consumer)), may_be_gone=True)
        if (before := self._bound.pop(consumer, None)) is not None:
            await self.relays.detach(before, worker)

    async def set_layers(
        self, consumer: ConsumerId, encoding: int | None, spatial: int | None = None, temporal: int | None = None
    ) -> None:
        """Choose an encoding (index) of the producer that the consumer is bound to, and its highest layers (0 to 7).

        None is the highest, as after each binding.
        """
        await self.workers.of(consumer).ask(SetLayers(local_id(consumer), encoding, spatial, temporal))

    async def statistics(self, transport: TransportId) -> TransportStatistics:
        """The statistics of a transport and of its streams."""
        worker = self.workers.of(transport)
        found = (await worker.ask(ReadStatistics(local_id(transport)))).statistics
        assert found is not None
        streams = (replace(stream, id=engine_id(worker.index, stream.id)) for stream in found.streams)
        return replace(found, id=transport, streams=tuple(streams))

    def counters(self) -> Sequence[WorkerNumbers]:
        """The measurements of each worker."""
        return [worker.numbers() for worker in self.workers]

    async def _bind(
        self,
        consumer: ConsumerId,
        producer: ProducerId,
        worker: WorkerHandle,
        payload_types: Mapping[int, int],
        same_clock: bool,
    ) -> None:
        sent, accepted = self.producers.get(producer), self.consumers.get(consumer)
        if sent is None or accepted is None:
            raise EngineError("BindConsumer", ErrorCode.STALE_ID)
        local = await self.relays.attach(producer, sent, worker)
        if consumer not in self.consumers:
            await self.relays.detach(producer, worker)
            raise EngineError("BindConsumer", ErrorCode.STALE_ID)
        self._bound[consumer] = producer
        formats = _format_indexes(sent, accepted, payload_types)
        await worker.ask(BindConsumer(local_id(consumer), local, formats, same_clock))


def _format_indexes(
    producer: ProducerSpec, consumer: ConsumerSpec, payload_types: Mapping[int, int]
) -> tuple[int | None, ...]:
    """For each payload type of the producer the index of the consumer's, or None."""
    indexes = {accepted.pt: index for index, accepted in enumerate(consumer.payload_types)}
    return tuple(indexes.get(payload_types.get(sent.pt, -1)) for sent in producer.payload_types)
