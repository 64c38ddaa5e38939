"""The asyncio skin of a DTLS association: crypto on a thread pool, timers, and keys to await."""

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
    """Runs one association from its first datagram to its keys, and stays to answer what comes late.

    Made, and used, on the event loop only. The association's work is done on `executor`, which many handshakes share,
    one call at a time. `send` is called with each datagram for the peer, `on_peer_closing` once when the connected
    peer seems to leave; neither may block. The handshake must be over `timeout_s` seconds after its start.

    `done` yields the keys, or raises the DtlsError (or whatever `send` raised) that ended it. It need not be awaited,
    and whoever stops waiting for it does not end the handshake.
    `dropped` counts the datagrams that came faster than they could be taken.
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
        self._working: Future[float | None] | None = None  # what a thread does now
        self._next: asyncio.Handle | None = None  # when there is more for it to do
        self._deadline: asyncio.TimerHandle | None = None  # there from the start on

    @property
    def done(self) -> asyncio.Future[SrtpKeys]:
        """The outcome, to await."""
        return asyncio.shield(self._done)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin, if that is still to be done. A client must be told to; a server's first datagram does it too."""
        if self._deadline is None and not self._done.done():
            self._deadline = self._loop.call_later(self._timeout_s, self._expire)
            self._work_soon()

    def receive(self, datagram: bytes) -> None:
        """Take a datagram from the peer. One that finds 16 others waiting is dropped and counted."""
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
        """End the handshake, or say goodbye to a connected peer. Returns once no thread works on it any more."""
        self._refuse(DtlsError(_CLOSED_EARLY))
        if self._working is not None:  # a thread cannot be stopped, and must be alone with the association
            await asyncio.wait([asyncio.wrap_future(self._working)])
        self._association.close()
        self._flush()

    def _work_soon(self) -> None:
        """Work once all that has come together is in the inbox."""
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Let a thread do what there is to do on the association now."""
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
        """It is over, and no thread works on it."""
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
        """Once the handshake is over there is no crypto left to do: this needs no thread."""
        closing = self._association.peer_closing
        self._association.receive(datagram)
        self._flush()
        if self._association.peer_closing and not closing:
            self._on_peer_closing()

    def _flush(self) -> None:
        for datagram in self._association.take_outgoing():
            self._send(datagram)

    def _expire(self) -> None:
        self._refuse(DtlsError(f"the DTLS handshake was not over after {self._timeout_s:g} s"))

    def _refuse(self, error: BaseException) -> None:
        """Let it end in this way, unless it has ended."""
        if self._done.done():
            return
        self._forget_timers()
        if self._working is None:
            self._association.close()
        self._done.set_exception(error)
        self._done.exception()  # looked at, so that a handshake which nobody awaits may fail in silence

    def _forget_timers(self) -> None:
        for handle in (self._next, self._deadline):
            if handle is not None:
                handle.cancel()


def _advance(association: DtlsAssociation, datagrams: Sequence[bytes]) -> float | None:
    """All that there is to do now; gives the seconds until there may be more even if no datagram comes."""
    association.start()
    for datagram in datagrams:
        association.receive(datagram)
    association.handle_timeout()
    return association.timeout_s()
