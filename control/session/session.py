"""One WebRTC session: a transport of the engine, the DTLS handshake that keys it, and its end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..media.engine import (
    CloseReason,
    Engine,
    EngineError,
    IceCredentials,
    Kind,
    Path,
    SrtpProfile,
    TransportChange,
    TransportId,
    TransportState,
    TransportStatistics,
)
from .bundle import LocalTransport, RemoteTransport
from .certificate import Certificate
from .dtls import DtlsAssociation, DtlsError
from .handshake import Handshake
from .ice import HostCandidates, new_credentials
from .sdpfrag import Fragment, parse_fragment

log = logging.getLogger(__name__)

# After a close_notify, which is not authenticated, the session ends if no authenticated packet arrives for so long.
_CLOSING_CONSENT_S = 8.0

_ENDS = {
    CloseReason.REQUESTED: "closed",
    CloseReason.NEVER_CONNECTED: "the peer never connected",
    CloseReason.CONSENT_LOST: "the peer has gone silent",
    CloseReason.REPLACED: "the peer has connected again from the same address",
}


@dataclass(frozen=True, slots=True)
class SessionServices:
    """Resources that all sessions of a node share."""

    engine: Engine
    certificate: Certificate
    executor: Executor
    candidates: HostCandidates = field(default_factory=HostCandidates)


class Session:
    """A session from its offer to its end. `on_closed`, given to `open`, is awaited exactly once."""

    def __init__(
        self,
        services: SessionServices,
        remote: RemoteTransport,
        mids: tuple[str, ...],
        on_closed: Callable[[Session], Awaitable[None]],
    ) -> None:
        self.id = secrets.token_urlsafe(18)
        self.etag = ""
        self.local = LocalTransport("", "", services.certificate.fingerprint, ())
        self.transport = TransportId(0)
        self.state = TransportState.NEW
        self.path: Path | None = None
        self.srtp_profile: SrtpProfile | None = None
        self.end: str | None = None  # the reason of the end, for messages
        self.kinds_with_media: frozenset[Kind] = frozenset()  # of those that the peer publishes
        self.connected = False  # whether the DTLS handshake has ever been completed
        self.on_connected: Callable[[], None] = lambda: None  # called once
        self.on_news: Callable[[], None] = lambda: None  # after a change of state, path, media or layers
        self._services = services
        self._remote = remote
        self._mids = mids
        self._on_closed = on_closed
        self._handshake: Handshake | None = None
        self._opened = False
        self._closing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        services: SessionServices,
        remote: RemoteTransport,
        mids: tuple[str, ...],
        on_closed: Callable[[Session], Awaitable[None]],
    ) -> Session:
        """Open the transport, so that `local` can be put into an answer. Raises DtlsError for the fingerprints."""
        session = cls(services, remote, mids, on_closed)
        association = DtlsAssociation(
            services.certificate, client=remote.dtls_client, remote_fingerprints=remote.fingerprints
        )
        ufrag, pwd = new_credentials()
        session.transport = await services.engine.open_transport(
            ufrag, pwd, session, peer=IceCredentials(remote.ice_ufrag, remote.ice_pwd)
        )
        session._opened = True
        try:
            session._set_local(ufrag, pwd)
        except BaseException:
            await services.engine.close_transport(session.transport)  # no handshake owns it yet
            raise
        session._handshake = Handshake(
            association,
            executor=services.executor,
            send=session._send,
            on_peer_closing=session._peer_closing,
            timeout_s=services.engine.options.connect_timeout_s,
        )
        session.run_soon(session._connect(session._handshake))
        return session

    async def trickle(self, fragment: str) -> None:
        """Take further candidates of the peer. An ICE-lite agent has no use for them: it waits to be checked."""
        parse_fragment(fragment)

    async def restart_ice(self, fragment: str) -> str:
        """Take the peer's new credentials and answer with new ones of ours; changes `etag`. Raises SdpError."""
        offered = parse_fragment(fragment)
        ufrag, pwd = new_credentials()
        peer = IceCredentials(offered.ice_ufrag, offered.ice_pwd)
        await self._services.engine.restart_ice(self.transport, ufrag, pwd, peer=peer)
        self._set_local(ufrag, pwd)
        mids = offered.mids or self._mids
        return Fragment(ufrag, pwd, self.local.candidates, True, mids, ice_lite=True).render()

    async def statistics(self) -> TransportStatistics:
        """The statistics of the transport. Raises EngineError."""
        return await self._services.engine.statistics(self.transport)

    @property
    def handshake_drops(self) -> int:
        """DTLS datagrams dropped because the handshake's inbox was full."""
        return self._handshake.dropped if self._handshake is not None else 0

    async def close(self, end: str = "closed") -> None:
        """End the session and wait until all its resources are freed. Later calls wait for the first."""
        if self._closing is None:
            self.end = end
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def end_soon(self, end: str) -> None:
        """Start `close` without waiting."""
        self.run_soon(self.close(end))

    def note_connected(self) -> None:
        """The DTLS handshake is completed: the peer is the one that the offer named."""
        self.connected = True
        self.on_connected()

    def on_datagram(self, data: bytes) -> None:
        """A DTLS datagram has come from the peer."""
        if self._handshake is not None and self._closing is None:
            with self._fatal():
                self._handshake.receive(data)

    def on_change(self, change: TransportChange) -> None:
        """The transport has a path, has lost it, or is closed; or something else flows on it."""
        self.state, self.path = change.state, change.path
        self.kinds_with_media = change.kinds_with_media
        self.on_news()
        if change.state is TransportState.CLOSED:
            self.end_soon(_ENDS.get(change.reason, "closed"))
        elif change.path is not None and self._remote.dtls_client and self._handshake is not None:
            with self._fatal():
                self._handshake.start()

    def _set_local(self, ufrag: str, pwd: str) -> None:
        bound = self._services.engine.addresses(self.transport)
        candidates = self._services.candidates.of(bound.udp, bound.tcp)
        self.local = LocalTransport(ufrag, pwd, self._services.certificate.fingerprint, candidates)
        self.etag = ufrag  # it identifies the ICE session, and the answer contains it anyway

    async def _connect(self, handshake: Handshake) -> None:
        try:
            keys = await handshake.done
            self.note_connected()
            await self._services.engine.set_keys(self.transport, keys)
            self.srtp_profile = keys.profile
        except DtlsError as error:
            log.info("session %s: %s", self.id[:6], error)
            await self.close(str(error))

    def _send(self, datagram: bytes) -> None:
        self._services.engine.send_datagram(self.transport, datagram)

    def _peer_closing(self) -> None:
        self.run_soon(self._services.engine.set_consent(self.transport, _CLOSING_CONSENT_S))

    def run_soon(self, work: Awaitable[None]) -> None:
        """Run something on the session's behalf; if it fails the session ends, and nothing else."""
        task = asyncio.ensure_future(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except EngineError as error:
            if not error.stale:
                log.warning("session %s: %s", self.id[:6], error)
            await self.close(str(error))
        except Exception:
            log.exception("session %s failed", self.id[:6])
            await self.close("an internal error")

    @contextmanager
    def _fatal(self) -> Iterator[None]:
        """An exception inside ends only this session."""
        try:
            yield
        except Exception:
            log.exception("session %s failed", self.id[:6])
            self.end_soon("an internal error")

    async def _close(self) -> None:
        """Free all resources, even if a step fails: RTCP BYE first, then DTLS close_notify, then the transport."""
        log.info("session %s ends: %s", self.id[:6], self.end)
        try:
            await self._on_closed(self)
        finally:
            try:
                if self._handshake is not None:
                    await self._handshake.close()
            finally:
                if self._opened:
                    await self._services.engine.close_transport(self.transport)
                self.state = TransportState.CLOSED
