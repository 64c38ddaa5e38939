"""One client of a server: HTTP, ICE and DTLS. Viewer and Publisher add the media."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from yarl import URL

from ..media.calling import CallingEngine
from ..media.engine import CloseReason, EngineError, TransportChange, TransportId, TransportState, TransportStatistics
from ..session.bundle import LocalTransport
from ..session.certificate import Certificate
from ..session.dtls import DtlsAssociation, DtlsError
from ..session.handshake import Handshake
from ..session.ice import host_candidates, new_credentials
from .answer import Answer, AnswerError
from .target import Target, TargetError

_CONNECT_TIMEOUT_S = 20.0
_NEXT_CANDIDATE_S = 1.5  # the first three STUN requests to a candidate

_ENDS = {
    CloseReason.NEVER_CONNECTED: "ICE: the server never answered",
    CloseReason.CONSENT_LOST: "ICE: the server went silent",
}


class JoinError(Exception):
    """A client failed to join. The report counts equal messages together."""


@dataclass(frozen=True, slots=True)
class ClientServices:
    """Resources that all clients share. `hosts` are this machine's IP addresses, for the candidates in offers."""

    engine: CallingEngine
    certificate: Certificate
    executor: Executor
    target: Target
    hosts: Sequence[str]


class Client:
    """A client of the WHIP or WHEP endpoint `url`. Subclasses make the offer and apply the answer."""

    def __init__(self, services: ClientServices, url: str) -> None:
        self.url = url
        self.join_s: float | None = None  # from the request to the keys
        self.ended: str | None = None  # the reason, if the session ended before `leave`
        self._services = services
        self._transport: TransportId | None = None
        self._resource: URL | None = None
        self._handshake: Handshake | None = None
        self._reached = asyncio.Event()

    async def join(self) -> None:
        """Join: HTTP, ICE and DTLS. On failure closes everything and raises JoinError."""
        start_s = time.monotonic()
        try:
            await self._join()
        except (TargetError, AnswerError, DtlsError, EngineError) as error:
            await self.leave()
            raise JoinError(str(error)) from None
        except BaseException:
            await self.leave()
            raise
        self.join_s = time.monotonic() - start_s

    async def leave(self) -> None:
        """End the session on the server, and close the transport."""
        resource, self._resource = self._resource, None
        if resource is not None:
            await self._services.target.leave(resource)
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            await handshake.close()
        transport, self._transport = self._transport, None
        if transport is not None:
            await self._services.engine.close_transport(transport)

    async def statistics(self) -> TransportStatistics | None:
        """The statistics of the transport, or None where it is closed."""
        if self._transport is None or self.ended is not None:
            return None
        try:
            return await self._services.engine.statistics(self._transport)
        except EngineError:
            return None

    def on_datagram(self, data: bytes) -> None:
        """A DTLS datagram has come from the server."""
        if self._handshake is not None:
            self._handshake.receive(data)

    def on_change(self, change: TransportChange) -> None:
        """The transport has got a path, or has closed."""
        if change.path is not None:
            self._reached.set()
        if change.state is TransportState.CLOSED and change.reason is not CloseReason.REQUESTED:
            self.ended = _ENDS.get(change.reason, "closed")

    def _offer(self, local: LocalTransport) -> str:
        raise NotImplementedError

    async def _accept(self, answer: Answer, transport: TransportId) -> None:
        raise NotImplementedError

    async def _join(self) -> None:
        services = self._services
        ufrag, pwd = new_credentials()
        transport = self._transport = await services.engine.open_transport(ufrag, pwd, self)
        host, port = services.engine.own_address(transport)
        hosts = [own for own in services.hosts if (":" in own) == (":" in host)]
        candidates = host_candidates([(own, port) for own in hosts])
        joined = await services.target.join(
            self.url, self._offer(LocalTransport(ufrag, pwd, services.certificate.fingerprint, candidates))
        )
        self._resource = joined.resource
        answer = Answer.read(joined.sdp)
        await self._accept(answer, transport)
        await self._connect(answer, transport)

    async def _connect(self, answer: Answer, transport: TransportId) -> None:
        services = self._services
        association = DtlsAssociation(
            services.certificate, client=answer.remote.dtls_client, remote_fingerprints=answer.remote.fingerprints
        )
        self._handshake = Handshake(
            association,
            executor=services.executor,
            send=lambda datagram: services.engine.send_datagram(transport, datagram),
            on_peer_closing=self._closed_by_server,
            timeout_s=_CONNECT_TIMEOUT_S,
        )
        await self._reach(answer, transport)
        if answer.remote.dtls_client:
            self._handshake.start()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                keys = await self._handshake.done
        except TimeoutError:
            raise JoinError("DTLS: the server never began") from None
        await services.engine.set_keys(transport, keys)

    async def _reach(self, answer: Answer, transport: TransportId) -> None:
        """Check the server's addresses in turn until one answers."""
        own, _ = self._services.engine.own_address(transport)
        addresses = [address for address in answer.addresses if (":" in address[0]) == (":" in own)]
        if not addresses:
            raise JoinError("ICE: no candidate of the server has the address family of --source")
        deadline_s = time.monotonic() + _CONNECT_TIMEOUT_S
        while time.monotonic() < deadline_s and self.ended is None:
            for address in addresses:
                await self._services.engine.check(transport, answer.remote.ice_ufrag, answer.remote.ice_pwd, address)
                wait_s = _NEXT_CANDIDATE_S if len(addresses) > 1 else _CONNECT_TIMEOUT_S
                try:
                    async with asyncio.timeout(wait_s):
                        await self._reached.wait()
                except TimeoutError:
                    continue
                return
        raise JoinError(self.ended or "ICE: no candidate of the server answered")

    def _closed_by_server(self) -> None:
        self.ended = "the server ended the session"
