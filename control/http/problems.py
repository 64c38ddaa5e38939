"""Every error that leaves the server: a problem document (RFC 9457), or a page where a person browses."""

from __future__ import annotations

import html
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import http_exceptions, web
from aiohttp.typedefs import Handler

from ..rooms import errors
from .assets import assets

_log = logging.getLogger(__name__)

RETRY_AFTER_S = 2
"""When to ask again for what is not there yet: soon enough to feel live, seldom enough to be cheap."""


CHALLENGE = 'Bearer realm="fanwire"'
"""The start of WWW-Authenticate (RFC 6750 section 3)."""


PROBLEM_COUNTS: web.AppKey[Counter[str]] = web.AppKey("problem_counts")
"""The number of problems sent since the start, by kind."""


class Problem(Exception):
    """An answer with an error status. `kind` is the end of the problem's type, which identifies it for programs."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.kind = kind or HTTPStatus(status).phrase.lower().replace(" ", "-")
        self.type = f"urn:fanwire:problem:{kind}" if kind else "about:blank"
        self.headers = headers

    def response(self, request: web.BaseRequest) -> web.Response:
        """The answer to `request` with this problem."""
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return self._page()
        document = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request.rel_url.raw_path,
        }
        return web.json_response(
            document, status=self.status, content_type="application/problem+json", headers=self.headers
        )

    def _page(self) -> web.Response:
        template = assets()["problem.html"]
        text = template.body.decode()
        for name, value in (("status", str(self.status)), ("title", self.title), ("detail", self.detail)):
            text = text.replace(f"{{{name}}}", html.escape(value))
        return web.Response(
            status=self.status,
            text=text,
            content_type=template.content_type,
            headers={**template.headers, **(self.headers or {})},
        )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns the exceptions of handlers into problems."""
    try:
        return await handler(request)
    except Exception as error:
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        problem = _problem(error, request)
        request.app[PROBLEM_COUNTS][problem.kind] += 1
        return problem.response(request)


_RETRY = {"Retry-After": str(RETRY_AFTER_S)}


def _problem(error: Exception, request: web.Request) -> Problem:
    detail = str(error)
    match error:
        case Problem():
            return error
        case errors.SdpError():
            return Problem(400, detail, title="The SDP is malformed", kind="malformed-sdp")
        case errors.NegotiationError():
            return Problem(422, detail, title="The offer cannot be answered", kind="unanswerable-offer")
        case errors.NothingPublished():
            return Problem(409, detail, title=error.title, kind="nothing-published", headers=_RETRY)
        case errors.SessionEnded():
            return Problem(409, detail, title=error.title, kind="session-ended")
        case errors.TooManyUnconnected():
            return Problem(429, detail, title=error.title, kind="too-many-unconnected-sessions", headers=_RETRY)
        case errors.NotConnected():
            return Problem(409, detail, title=error.title, kind="not-connected", headers=_RETRY)
        case errors.SessionNotFound():
            return Problem(404, detail, title=error.title, kind="session-not-found")
        case errors.StreamNotFound():
            return Problem(404, detail, title=error.title, kind="stream-not-found")
        case errors.NoSuchLayer():
            return Problem(422, detail, title=error.title, kind="no-such-layer")
        case errors.NotAViewer():
            return Problem(409, detail, title=error.title, kind="not-a-viewer")
        case errors.TooManyStreams():
            return Problem(409, detail, title=error.title, kind="too-many-event-streams")
        case errors.EtagMismatch():
            return Problem(412, detail, title=error.title, kind="etag-mismatch")
        case errors.RoomNotFound():
            return Problem(404, detail, title=error.title, kind="room-not-found")
        case errors.Forbidden():
            challenge = {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope"'}
            return Problem(403, detail, title=error.title, kind="forbidden", headers=challenge)
        case errors.Unavailable():
            return Problem(503, detail, title=error.title, kind=error.kind, headers=_RETRY)
        case web.HTTPException():
            return _of_status(error, request)
        case http_exceptions.BadHttpMessage() | web.RequestPayloadError():
            return Problem(400, "The body of the request is damaged or was cut short.")
        case _:
            return _unexpected(error, request)


def _of_status(error: web.HTTPException, request: web.Request) -> Problem:
    """The problem of a request that aiohttp refuses."""
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    details = {
        404: "There is nothing at this address.",
        405: f"{request.method} is not possible here; see the Allow header for what is.",
        413: f"The body is larger than the {request.client_max_size} bytes allowed.",
    }
    return Problem(error.status, details.get(error.status, error.reason), headers=allow)


def _unexpected(error: Exception, request: web.Request) -> Problem:
    """The problem of an internal error. The log has the details under a number that the client gets."""
    number = secrets.token_hex(4)
    _log.error("%s %s failed (%s)", request.method, request.rel_url.raw_path, number, exc_info=error)
    return Problem(500, f"The server met an unexpected error. Its log has the details under {number}.")
