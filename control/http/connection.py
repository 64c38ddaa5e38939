"""One HTTP connection: aiohttp's, with bounds on the headers of a request and on the time that they take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from aiohttp import http_exceptions, web
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from ..config.options import HttpOptions
from .headers import COMMON
from .problems import PROBLEM_COUNTS, Problem

_PIECE_BYTES = 8192  # what the parser gets at once; headers that begin in the same piece as others end are counted late

_IDLE_S = 75.0  # between two requests

_Parsed = tuple[Sequence[tuple[Any, StreamReader]], bool, bytes]


class HeadersTooLarge(http_exceptions.BadHttpMessage):
    """The headers of one request are larger than allowed."""


class Connection(web.RequestHandler):
    """A connection from its acceptance to its end, when `on_lost` is called with it.

    `client` is the key of the peer's address, None for a trusted proxy. `reserve` is set where all places are taken:
    the problem that all get but operators and open sessions. `opening` is the task of its TLS handshake.
    """

    def __init__(
        self, app: web.Application, server: web.Server, options: HttpOptions, on_lost: Callable[[Connection], None]
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=_IDLE_S,
            max_line_size=options.max_header_bytes,
            max_field_size=options.max_header_bytes,
        )
        self.client: str | None = None
        self.reserve: Problem | None = None
        self.opening: asyncio.Task[None] | None = None
        self._problem_counts = app[PROBLEM_COUNTS]
        self._options = options
        self._on_lost = on_lost
        self._bounded = _BoundedParser(self._parser, options.max_headers_bytes)
        self._parser = cast("Any", self._bounded)
        self._stream: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a request or the rest of one. Such a connection may be closed to make room."""
        between = self._waiter is not None and not self._waiter.done()
        return self._stream is None or between or self._bounded.in_body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is accepted, and the TLS handshake over."""
        super().connection_made(transport)
        self._stream = cast("asyncio.Transport", transport)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        super().data_received(data)
        if self._bounded.header_bytes == 0:
            self._stop_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection has ended."""
        self._stop_deadline()
        super().connection_lost(exc)
        self._on_lost(self)

    def abort(self) -> None:
        """End it at once; bytes not yet sent are dropped."""
        if self._stream is not None:
            self._stream.abort()
        elif self.opening is not None:
            self.opening.cancel()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to a request that aiohttp cannot read. Nothing of the request is in it, or in the log."""
        if not isinstance(exc, http_exceptions.HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        problem = self._malformed(exc)
        self._problem_counts[problem.kind] += 1
        response = problem.response(request)
        response.headers.update(COMMON)
        response.force_close()
        return response

    def _malformed(self, error: http_exceptions.HttpProcessingError) -> Problem:
        match error:
            case HeadersTooLarge():
                limit = f"The headers of a request may have {self._options.max_headers_bytes} bytes together."
                return Problem(431, limit, kind="headers-too-large")
            case http_exceptions.LineTooLong():
                limit = f"A line of a request's headers may have {self._options.max_header_bytes} bytes."
                return Problem(431, limit, kind="header-too-long")
            case _:
                return Problem(400, "The request is not well-formed HTTP/1.1.", kind="malformed-request")

    def _start_deadline(self) -> None:
        self._deadline = self._loop.call_later(self._options.headers_timeout_s, self._headers_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _headers_late(self) -> None:
        self._problem_counts["headers-too-slow"] += 1
        self.abort()


class _BoundedParser:
    """aiohttp's parser of requests, which is given at most `limit_bytes` of the headers of one request.

    `header_bytes` counts those of a request whose headers are incomplete.
    """

    def __init__(self, parser: Any, limit_bytes: int) -> None:
        self.header_bytes = 0
        self._parser = parser
        self._limit_bytes = limit_bytes
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    @property
    def in_body(self) -> bool:
        """Whether the body of the last request is incomplete."""
        return not self._payload.is_eof()

    def feed_data(self, data: bytes) -> _Parsed:
        """As aiohttp's. Raises HeadersTooLarge; after an error the rest of the connection's bytes are ignored."""
        if self._failed:
            return (), False, b""
        try:
            return self._feed(data)
        except http_exceptions.HttpProcessingError:
            self._failed = True
            self.header_bytes = 0
            raise

    def _feed(self, data: bytes) -> _Parsed:
        messages: list[tuple[Any, StreamReader]] = []
        for start in range(0, len(data) or 1, _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            is_header = not self.in_body
            found, upgraded, tail = self._parser.feed_data(piece)
            if is_header:
                self.header_bytes += len(piece)
            if self.header_bytes > self._limit_bytes and not all(self._fits(message) for message, _ in found):
                raise HeadersTooLarge("The headers of a request are larger than allowed.")
            if found:
                messages += found
                self._payload = found[-1][1]
                self.header_bytes = 0
            elif self.header_bytes > self._limit_bytes:
                raise HeadersTooLarge("The headers of a request are larger than allowed.")
            if upgraded:
                return messages, True, tail + data[start + _PIECE_BYTES :]
        return messages, False, b""

    def _fits(self, message: Any) -> bool:
        size = sum(len(name) + len(value) + len(": \r\n") for name, value in message.raw_headers)
        return size + len(message.path) <= self._limit_bytes
