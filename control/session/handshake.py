"""Runs a DTLS association in asyncio: crypto on a thread pool, timers, and a future of the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Self

from ..media.keys import SrtpKeys
from .dtls import DtlsAssociation, DtlsError, DtlsState

_INBOX_DATAGRAMS = 16
_CLOSED_EARLY = "closed before the handshake was over"


class Handshake:
    """Runs one association from its first datagram to its keys, and answers late datagrams.

    To be created and used on the event loop. The association runs on `executor`, shared by many handshakes, one call at
    a time. `send` is called with each datagram for the peer, `on_peer_closing` once when the connected peer starts to
    close; neither may block. The handshake fails `timeout_s` seconds after its start.

    `done` returns the keys, or raises the DtlsError (or the exception of `send`) that ended the handshake. It need not
    be awaited; cancelling the wait does not end the handshake. `dropped` counts datagrams that a full inbox dropped.
    """

    def __init__(
        self,
        association: DtlsAssociation,
        *,
        executor: Executor,
        send: Callable[[bytes], None],
        on_peer_closing: Callable[[], None] = lambda: None,
        timeout_s: float = 30.0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[SrtpKeys] = self._loop.create_future()
        self.dropped = 0
        self._association = association
        self._executor = executor
        self._send = send
        self._on_peer_closing = on_peer_closing
        self._timeout_s = timeout_s
        self._inbox: list[bytes] = []
        self._working: Future[float | None] | None = None  # the call that runs on a thread now
        self._next: asyncio.Handle | None = None  # the next call that is scheduled
        self._deadline: asyncio.TimerHandle | None = None  # set by `start`

    @property
    def done(self) -> asyncio.Future[SrtpKeys]:
        """The outcome."""
        return asyncio.shield(self._done)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Start the handshake, once. A client needs this call; a server also starts at its first datagram."""
        if self._deadline is None and not self._done.done():
            self._deadline = self._loop.call_later(self._timeout_s, self._expire)
            self._work_soon()

    def receive(self, datagram: bytes) -> None:
        """Process a datagram of the peer. If 16 others wait, it is dropped and counted."""
        if self._done.done() and self._working is None:
            self._receive_late(datagram)
        elif len(self._inbox) == _INBOX_DATAGRAMS:
            self.dropped += 1
        else:
            self._inbox.append(datagram)
            if self._deadline is None:
                self.start()
            elif len(self._inbox) == 1 and self._working is None:
                self._work_soon()

    async def close(self) -> None:
        """End the handshake, or send close_notify to a connected peer. Returns once no thread works on it."""
        self._refuse(DtlsError(_CLOSED_EARLY))
        if self._working is not None:  # the association allows one call at a time, and threads cannot be stopped
            await asyncio.wait([asyncio.wrap_future(self._working)])
        self._association.close()
        self._flush()

    def _work_soon(self) -> None:
        """Schedule work after all datagrams of this turn of the loop are in the inbox."""
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Process the inbox on a thread."""
        datagrams, self._inbox = self._inbox, []
        self._working = self._executor.submit(_advance, self._association, datagrams)
        self._working.add_done_callback(lambda working: self._loop.call_soon_threadsafe(self._worked, working))

    def _worked(self, working: Future[float | None]) -> None:
        self._working = None
        try:
            repeat_s = working.result()
            self._flush()
        except Exception as error:
            self._refuse(error)
        if self._done.done() or self._association.state is not DtlsState.CONNECTING:
            self._settle()
        elif self._inbox:
            self._work()
        elif repeat_s is not None:
            self._next = self._loop.call_later(repeat_s, self._work)

    def _settle(self) -> None:
        """Set the outcome. No thread works on the association now."""
        association = self._association
        if association.keys is None or self._done.done():
            self._refuse(association.error or DtlsError(_CLOSED_EARLY))
            association.close()
        else:
            self._forget_timers()
            self._done.set_result(association.keys)
        waiting, self._inbox = self._inbox, []
        for datagram in waiting:
            self._receive_late(datagram)

    def _receive_late(self, datagram: bytes) -> None:
        """Process a datagram after the handshake: this needs no crypto, and so no thread."""
        closing = self._association.peer_closing
        self._association.receive(datagram)
        self._flush()
        if self._association.peer_closing and not closing:
            self._on_peer_closing()

    def _flush(self) -> None:
        for datagram in self._association.take_outgoing():
            self._send(datagram)

    def _expire(self) -> None:
        self._refuse(DtlsError(f"the DTLS handshake did not finish within {self._timeout_s:g} s"))

    def _refuse(self, error: BaseException) -> None:
        """End the handshake with this error, unless it has ended."""
        if self._done.done():
            return
        self._forget_timers()
        if self._working is None:
            self._association.close()
        self._done.set_exception(error)
        self._done.exception()  # marks the exception as retrieved, in case nothing awaits `done`

    def _forget_timers(self) -> None:
        for handle in (self._next, self._deadline):
            if handle is not None:
                handle.cancel()


def _advance(association: DtlsAssociation, datagrams: Sequence[bytes]) -> float | None:
    """Process datagrams and timeouts. Returns the seconds until the next timeout."""
    association.start()
    for datagram in datagrams:
        association.receive(datagram)
    association.handle_timeout()
    return association.timeout_s()
