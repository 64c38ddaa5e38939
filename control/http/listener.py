"""Serves HTTP on a bounded number of connections, with a reserve for operators and open sessions."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Self

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from ..config.options import HttpOptions
from ..config.values import Network
from .clients import address_key, is_in
from .connection import Connection
from .problems import PROBLEM_COUNTS, RETRY_AFTER_S, Problem

log = logging.getLogger(__name__)

RESERVE = 32
"""Connections beyond the most there may be."""

_BACKLOG = 512
_ACCEPTED_AT_ONCE = 32
_ASKED_FOR_ROOM = 32  # connections that are asked, for one that comes, whether they wait
_PAUSE_S = 0.5  # without a free descriptor, until the next try
_SHUTDOWN_S = 1.0  # for answers under way when the server stops
_UNACKNOWLEDGED_MS = 30_000  # a peer that takes nothing of what was sent for so long is cut off
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_OPERATORS = ("/api/", "/metrics", "/healthz", "/readyz")
_OF_OPEN_SESSIONS = (hdrs.METH_PATCH, hdrs.METH_DELETE)


class _Places:
    """So many places for connections. For one that comes, the oldest that waits for its client goes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: OrderedDict[Connection, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, connection: Connection) -> None:
        self._taken[connection] = None

    def leave(self, connection: Connection) -> None:
        self._taken.pop(connection, None)

    def find_spare(self) -> Connection | None:
        """The oldest connection that waits for its client, among those asked longest ago."""
        for connection in list(islice(self._taken, _ASKED_FOR_ROOM)):
            if connection.is_waiting:
                return connection
            self._taken.move_to_end(connection)
        return None

    @property
    def is_full(self) -> bool:
        return len(self._taken) >= self._limit


class HttpServer:
    """Serves an application from `async with` to its end, at all addresses of a host.

    At most `connections` at a time, and `options.max_connections`; trusted proxies may have any number of these. Raises
    OSError where an address cannot be taken.
    """

    def __init__(
        self,
        app: web.Application,
        options: HttpOptions,
        *,
        connections: int = 1 << 20,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self.addresses: list[tuple[str, int]] = []
        self._app = app
        self._runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_S)
        self._options = options
        self._tls = options.tls_context()
        self._most = min(connections, options.max_connections)
        self._trusted_proxies = trusted_proxies
        self._problem_counts = app[PROBLEM_COUNTS]
        self._sockets: list[socket.socket] = []
        self._all = _Places(self._most)
        self._reserve = _Places(RESERVE)
        self._of_address: dict[str, _Places] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            found = await self._loop.getaddrinfo(*self._options.http, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, _, _, _, address in dict.fromkeys(found):
                self._listen(family, address)
        except BaseException:
            await self._close()
            raise
        self._resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    def _listen(self, family: int, address: Any) -> None:
        listening = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(listening)
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)  # inherited
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        self.addresses.append(listening.getsockname()[:2])

    def _resume(self) -> None:
        self._paused = None
        for listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _pause(self) -> None:
        """Watch no socket for a while: without a free descriptor each stays readable. Close waiting connections."""
        self._problem_counts["no-descriptors"] += 1
        log.warning("no file descriptor is free for an HTTP connection: raise the limit (ulimit -n)")
        for listening in self._sockets:
            self._loop.remove_reader(listening)
        for _ in range(_ACCEPTED_AT_ONCE):
            self._evict(self._all)
        self._paused = self._loop.call_later(_PAUSE_S, self._resume)

    async def _close(self) -> None:
        if self._paused is not None:
            self._paused.cancel()
        for listening in self._sockets:
            self._loop.remove_reader(listening)
            listening.close()
        self._sockets.clear()
        for task in self._opening:
            task.cancel()
        await self._runner.cleanup()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, peer = listening.accept()
            except OSError as error:  # BlockingIOError: no more wait; others: that client has gone
                if error.errno in _NO_DESCRIPTOR:
                    self._pause()
                return
            accepted.setblocking(False)
            self._admit(accepted, peer[0])

    def _admit(self, accepted: socket.socket, address: str) -> None:
        is_proxy = is_in(address, self._trusted_proxies)
        server = self._runner.server
        assert server is not None  # from setup to cleanup, and sockets are open between these only
        connection = Connection(self._app, server, self._options, self._forget)
        connection.client = None if is_proxy else address_key(address)
        connection.reserve = self._refusal(connection.client)
        if connection.reserve is None:
            self._all.take(connection)
            if connection.client is not None:
                self._places_of(connection.client).take(connection)
        elif self._has_room(self._reserve):
            self._reserve.take(connection)
        else:
            self._problem_counts["connections-refused"] += 1
            self._forget(connection)
            accepted.close()
            return
        connection.opening = task = self._loop.create_task(self._open(connection, accepted))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _refusal(self, client: str | None) -> Problem | None:
        """Why a connection gets a place of the reserve only."""
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        if client is not None and not self._has_room(self._places_of(client)):
            most = self._options.max_connections_per_address
            text = f"Your address has {most} connections in use. Close some, or try again later."
            return Problem(429, text, kind="too-many-connections-from-address", headers=retry)
        if not self._has_room(self._all):
            text = f"All {self._most} connections of the server are in use. Try again later."
            return Problem(503, text, kind="too-many-connections", headers=retry)
        return None

    def _places_of(self, client: str) -> _Places:
        return self._of_address.setdefault(client, _Places(self._options.max_connections_per_address))

    def _has_room(self, places: _Places) -> bool:
        return not places.is_full or self._evict(places)

    def _evict(self, places: _Places) -> bool:
        spare = places.find_spare()
        if spare is None:
            return False
        self._problem_counts["connections-closed-for-others"] += 1
        self._forget(spare)
        spare.abort()
        return True

    async def _open(self, connection: Connection, accepted: socket.socket) -> None:
        """Let aiohttp have the connection, after a TLS handshake if there is one."""
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=self._options.headers_timeout_s if self._tls else None,
            )
        except OSError:  # ssl.SSLError and TimeoutError are ones
            self._forget(connection)
        except asyncio.CancelledError:
            self._forget(connection)
            accepted.close()
            raise
        finally:
            connection.opening = None

    def _forget(self, connection: Connection) -> None:
        self._all.leave(connection)
        self._reserve.leave(connection)
        if connection.client is not None and (places := self._of_address.get(connection.client)) is not None:
            places.leave(connection)
            if len(places) == 0:
                del self._of_address[connection.client]


@web.middleware
async def keep_reserve(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer on a connection of the reserve: one request, of an operator or about an open session."""
    connection = request.protocol
    if not isinstance(connection, Connection) or connection.reserve is None:
        return await handler(request)
    if request.path.startswith(_OPERATORS) or request.method in _OF_OPEN_SESSIONS:
        response = await handler(request)
    else:
        request.app[PROBLEM_COUNTS][connection.reserve.kind] += 1
        response = connection.reserve.response(request)
    response.force_close()
    return response
