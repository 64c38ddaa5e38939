"""The asyncio skin of a DTLS association: crypto on a thread pool, timers, and keys to await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
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
        self._done: asyncio.Future[SrtpKeys] = asyncio.get_running_loop().create_future()
        self.dropped = 0
        self._association = association
        self._executor = executor
        self._send = send
        self._on_peer_closing = on_peer_closing
        self._timeout_s = timeout_s
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(_INBOX_DATAGRAMS)
        self._task: asyncio.Task[SrtpKeys] | None = None

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
        if self._task is None and not self._done.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._settle)

    def receive(self, datagram: bytes) -> None:
        """Take a datagram from the peer. One that finds 16 others waiting is dropped and counted."""
        if self._done.done():
            self._receive_late(datagram)
            return
        self.start()
        try:
            self._inbox.put_nowait(datagram)
        except asyncio.QueueFull:
            self.dropped += 1

    async def close(self) -> None:
        """End the handshake, or say goodbye to a connected peer. Returns once no thread works on it any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._association.close()
        self._flush()
        if not self._done.done():
            self._refuse(DtlsError(_CLOSED_EARLY))

    async def _run(self) -> SrtpKeys:
        association = self._association
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._call(association.start)
                while association.state is DtlsState.CONNECTING:
                    await self._turn()
        except TimeoutError:
            raise DtlsError(f"the DTLS handshake was not over after {self._timeout_s:g} s") from None
        if association.keys is None:
            raise association.error or DtlsError(_CLOSED_EARLY)
        return association.keys

    async def _turn(self) -> None:
        """Wait for a datagram or for the retransmission timer, whichever is first, and handle it."""
        try:
            async with asyncio.timeout(self._association.timeout_s()):
                datagram = await self._inbox.get()
        except TimeoutError:
            await self._call(self._association.handle_timeout)
        else:
            await self._call(partial(self._association.receive, datagram))

    async def _call(self, work: Callable[[], None]) -> None:
        """Let a thread do some work on the association, and send what there is to send then."""
        working = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])  # a thread cannot be stopped, and must be alone with the association
            raise
        self._flush()

    def _settle(self, task: asyncio.Task[SrtpKeys]) -> None:
        if task.cancelled():
            self._refuse(DtlsError(_CLOSED_EARLY))
        elif (error := task.exception()) is not None:
            self._refuse(error)
        else:
            self._done.set_result(task.result())
        while not self._inbox.empty():
            self._receive_late(self._inbox.get_nowait())

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

    def _refuse(self, error: BaseException) -> None:
        self._association.close()
        self._done.set_exception(error)
        self._done.exception()  # looked at, so that a handshake which nobody awaits may fail in silence
