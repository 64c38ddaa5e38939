"""An engine for clients: it calls servers, and publishes packets that Python feeds."""

from __future__ import annotations

import secrets
from typing import Self

from .engine import NO_CREDENTIALS, Engine, IceCredentials
from .errors import EngineError
from .fastpath import AddSource, CheckPath, ErrorCode, FeedPacket, FeedReport, ProducerSpec
from .ids import ProducerId, TransportId, engine_id, local_id
from .worker_handle import TransportListener
from .workers import EngineConfig


class CallingEngine(Engine):
    """An engine in which each transport has its own UDP port, because servers identify clients by their address."""

    def __init__(self, config: EngineConfig) -> None:
        super().__init__(config)
        self._free: list[list[int]] = []  # of each worker: the numbers (from 1) of its unused ports
        self._in_use: dict[TransportId, int] = {}
        self.unfed = 0  # packets and reports that a full ring dropped

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._free = [list(range(len(worker.client_addresses), 0, -1)) for worker in self.workers]
        return self

    async def open_transport(
        self, ufrag: str, pwd: str, listener: TransportListener, *, peer: IceCredentials = NO_CREDENTIALS
    ) -> TransportId:
        """Open a transport on the worker with the fewest, with a port. Raises EngineError where all are in use."""
        transport = await super().open_transport(ufrag, pwd, listener, peer=peer)
        free = self._free[self.workers.of(transport).index]
        if not free:
            await super().close_transport(transport)
            raise EngineError("OpenTransport", ErrorCode.LIMIT, "every port is in use")
        self._in_use[transport] = free.pop()
        return transport

    async def close_transport(self, transport: TransportId) -> None:
        """Close the transport and free its port. Closing it again does nothing."""
        await super().close_transport(transport)
        if (number := self._in_use.pop(transport, None)) is not None:
            self._free[self.workers.of(transport).index].append(number)

    def own_address(self, transport: TransportId) -> tuple[str, int]:
        """The (IP, port) from which the transport sends; the IP may be a wildcard."""
        return self.workers.of(transport).client_addresses[self._in_use[transport] - 1]

    async def check(self, transport: TransportId, ufrag: str, pwd: str, remote: tuple[str, int]) -> None:
        """Start ICE checks of a server's address, with the server's credentials. A second call replaces the first."""
        number = self._in_use[transport]
        command = CheckPath(local_id(transport), ufrag, pwd, remote, number, tie_breaker=secrets.randbits(64))
        await self.workers.of(transport).ask(command)

    async def add_source(self, spec: ProducerSpec) -> ProducerId:
        """Make a producer that `feed` supplies, for any number of consumers."""
        worker = self.workers.at(0)
        producer = ProducerId(engine_id(worker.index, (await worker.ask(AddSource(spec))).id))
        self.producers[producer] = spec
        return producer

    def feed(self, source: ProducerId, packet: bytes) -> None:
        """Give a source its next RTP packet, unencrypted."""
        self._feed(source, FeedPacket(local_id(source), packet))

    def feed_report(self, source: ProducerId, ntp: int, timestamp: int) -> None:
        """Map a source's clock: `ntp` (32.32 fixed-point seconds since 1900) corresponds to this RTP timestamp."""
        self._feed(source, FeedReport(local_id(source), ntp, timestamp))

    def _feed(self, source: ProducerId, command: FeedPacket | FeedReport) -> None:
        try:
            self.workers.of(source).post(command)
        except BlockingIOError:
            self.unfed += 1
