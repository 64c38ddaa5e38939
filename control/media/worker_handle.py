"""The handle of one worker: sends commands, passes results to their callers and events to the listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .errors import EngineError
from .fastpath import (
    CloseTransport,
    Command,
    ErrorCode,
    FieldError,
    Latency,
    OpenTransport,
    Punt,
    Result,
    SendDatagram,
    TransportChange,
    Worker,
)

log = logging.getLogger(__name__)

_MAX_TICKETS = 4096  # commands without a result at a time: the ring of results has room for theirs
_RETRY_S = 0.005  # after a full ring


class TransportListener(Protocol):
    """The owner of a transport. It is called on the event loop and must not block."""

    def on_datagram(self, data: bytes) -> None:
        """A DTLS datagram has come over the transport's path."""

    def on_change(self, change: TransportChange) -> None:
        """State or path has changed. States in between may have been skipped."""


class Addresses(NamedTuple):
    """The (IP, port) pairs that a worker has bound. It accepts TCP connections at those of `tcp`."""

    udp: Sequence[tuple[str, int]]
    tcp: Sequence[tuple[str, int]]


class WorkerNumbers(NamedTuple):
    """The measurements of one worker.

    `counters` by name, drops as drop_*; `latency` of packets in the worker; for each socket its address, buffer sizes
    in bytes, GSO and GRO.
    """

    counters: Mapping[str, int]
    latency: Latency
    sockets: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A command without a result yet. The listener is that of the transport which the command opens, if it does."""

    result: asyncio.Future[Result]
    listener: TransportListener | None = None


class WorkerHandle:
    """One worker. `client_addresses` are those of its UDP ports from which a CallingEngine calls servers."""

    def __init__(
        self, index: int, worker: Worker, addresses: Addresses, client_addresses: Sequence[tuple[str, int]]
    ) -> None:
        self.index = index
        self.worker = worker
        self.addresses = addresses
        self.client_addresses = client_addresses
        self._tickets: dict[int, _Ticket] = {}
        self._listeners: dict[int, TransportListener] = {}
        self._opening = 0  # transports that have no listener yet
        self._waking = False  # a wake-up is scheduled
        self._dropped_datagrams = 0
        self._abandoned: set[asyncio.Task[None]] = set()  # closes transports whose opener was cancelled

    @property
    def load(self) -> int:
        """Transports that are open or about to be."""
        return len(self._listeners) + self._opening

    def start(self) -> None:
        """Start the worker's thread and listen to its events on the running loop."""
        self._loop = asyncio.get_running_loop()
        self.worker.start()
        self._loop.add_reader(self.worker.fileno(), self._read)

    def close(self) -> None:
        """Stop listening and cancel all waiting callers. The thread runs until `worker.stop`."""
        self._loop.remove_reader(self.worker.fileno())
        for ticket in self._tickets.values():
            ticket.result.cancel()

    def numbers(self) -> WorkerNumbers:
        """The worker's measurements now."""
        counters = {**self.worker.counters(), "drop_commands_full": self._dropped_datagrams}
        return WorkerNumbers(counters, self.worker.latency(), self.worker.capabilities)

    async def open_transport(self, command: OpenTransport, listener: TransportListener) -> int:
        """Open a transport whose events go to `listener`; its local id. Cancelling the call closes the transport."""
        self._opening += 1
        try:
            return (await self.ask(command, listener=listener)).id
        finally:
            self._opening -= 1

    async def close_transport(self, local: int) -> None:
        """Close a transport. Closing it again does nothing."""
        if self._listeners.pop(local, None) is not None:
            await self.ask(CloseTransport(local))

    def send_datagram(self, local: int, data: bytes) -> None:
        """Send a DTLS datagram over the transport's path; a full ring drops and counts it."""
        try:
            self.post(SendDatagram(local, data))
        except BlockingIOError:
            self._dropped_datagrams += 1

    async def ask(
        self, command: Command, *, may_be_gone: bool = False, listener: TransportListener | None = None
    ) -> Result:
        """The result of a command. Raises EngineError for a refusal, but not for a stale id with `may_be_gone`."""
        future: asyncio.Future[Result] = self._loop.create_future()
        ticket = await self._submit(command)
        self._tickets[ticket] = _Ticket(future, listener)
        try:
            result = await future
        except asyncio.CancelledError:
            if listener is not None and not future.cancelled():  # the result arrived together with the cancellation
                self._abandon(future.result())
            raise
        if result.error and not (may_be_gone and result.error == ErrorCode.STALE_ID):
            raise EngineError(type(command).__name__, result.error)
        return result

    def post(self, command: Command) -> int:
        """Queue a command and return its ticket. Commands of one turn of the loop share a wake-up.

        Raises BlockingIOError where the ring is full, FieldError for a value that does not fit.
        """
        ticket = self.worker.submit(command, wake=False)
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._wake)
        return ticket

    async def _submit(self, command: Command) -> int:
        """Queue a command, waiting while the ring is full: a lost command would leak what it is about."""
        while True:
            try:
                if len(self._tickets) < _MAX_TICKETS:
                    return self.post(command)
            except BlockingIOError:
                pass
            except FieldError as error:
                raise EngineError(type(command).__name__, ErrorCode.REFUSED, str(error)) from None
            await asyncio.sleep(_RETRY_S)

    def _wake(self) -> None:
        self._waking = False
        self.worker.wake()

    def _read(self) -> None:
        for event in self.worker.read_events():
            if isinstance(event, Result):
                self._settle(event)
                continue
            listener = self._listeners.get(event.transport)
            if listener is None:
                continue
            try:
                if isinstance(event, Punt):
                    listener.on_datagram(event.data)
                else:
                    listener.on_change(event)
            except Exception:
                log.exception("a transport's listener failed on an event")

    def _settle(self, result: Result) -> None:
        ticket = self._tickets.pop(result.ticket, None)
        if ticket is None:
            return
        if ticket.listener is not None and not result.error:
            self._listeners[result.id] = ticket.listener  # at once: the next event may be a change of this transport
        if not ticket.result.done():
            ticket.result.set_result(result)
        elif ticket.listener is not None:
            self._abandon(result)

    def _abandon(self, opened: Result) -> None:
        """Close a transport whose opener was cancelled before it took the result."""
        if opened.error:
            return
        closing = asyncio.create_task(self.close_transport(opened.id))
        self._abandoned.add(closing)
        closing.add_done_callback(self._abandoned.discard)
