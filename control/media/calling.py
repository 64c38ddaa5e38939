"""The client's side of the seam: an engine that calls servers, and publishes there what it is fed."""

from __future__ import annotations

import secrets
from typing import Self

from .engine import (
    _LIMIT,
    AddSource,
    CheckPath,
    Engine,
    EngineConfig,
    EngineError,
    FeedPacket,
    FeedReport,
    ProducerId,
    ProducerSpec,
    TransportId,
    TransportListener,
    _local,
)


class CallingEngine(Engine):
    """An engine whose transports each have a UDP port of their own, as servers tell their clients apart by it."""

    def __init__(self, config: EngineConfig) -> None:
        super().__init__(config)
        self._free: list[list[int]] = []
        self._ports_in_use: dict[TransportId, int] = {}
        self.unfed = 0  # packets that a worker had no room for

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._free = [list(range(len(port.ports), 0, -1)) for port in self._ports]
        return self

    async def open_transport(self, ufrag: str, pwd: str, listener: TransportListener) -> TransportId:
        """Open a transport on the worker with the fewest and give it a port. Raises EngineError where none is left."""
        transport = await super().open_transport(ufrag, pwd, listener)
        free = self._free[self._port(transport).index]
        if not free:
            await super().close_transport(transport)
            raise EngineError("OpenTransport", _LIMIT, "every port is in use")
        self._ports_in_use[transport] = free.pop()
        return transport

    async def close_transport(self, transport: TransportId) -> None:
        """Close the transport and take its port back. Closing it again does nothing."""
        await super().close_transport(transport)
        if (number := self._ports_in_use.pop(transport, None)) is not None:
            self._free[self._port(transport).index].append(number)

    def own_address(self, transport: TransportId) -> tuple[str, int]:
        """The (IP, port) from which the transport calls; the IP may be a wildcard."""
        return self._port(transport).ports[self._ports_in_use[transport] - 1]

    async def check(self, transport: TransportId, ufrag: str, pwd: str, remote: tuple[str, int]) -> None:
        """Begin to ask a server with these credentials for a path; whoever was asked before is asked no more."""
        number = self._ports_in_use[transport]
        command = CheckPath(_local(transport), ufrag, pwd, remote, number, tie_breaker=secrets.randbits(64))
        await self._ask(self._port(transport), command)

    async def add_source(self, spec: ProducerSpec) -> ProducerId:
        """Make a producer that is fed from here, for any number of consumers."""
        port = self._ports[0]
        producer = ProducerId((await self._ask(port, AddSource(spec))).id)
        self._producers[producer] = spec
        return producer

    def feed(self, source: ProducerId, packet: bytes) -> None:
        """Give a source its next RTP packet, in the clear."""
        self._feed(FeedPacket(source, packet))

    def feed_report(self, source: ProducerId, ntp: int, timestamp: int) -> None:
        """Tell a source's clock: at `ntp` (32.32 fixed point seconds since 1900) the RTP timestamp was `timestamp`."""
        self._feed(FeedReport(source, ntp, timestamp))

    def _feed(self, command: FeedPacket | FeedReport) -> None:
        try:
            self._push(self._ports[0], command)
        except BlockingIOError:
            self.unfed += 1
