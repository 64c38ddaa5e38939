"""Cross-origin access (the Fetch standard): any web site may host players and encoders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

_EXPOSED = "Accept-Patch, Accept-Post, Allow, ETag, Link, Location, Retry-After, WWW-Authenticate"
_REQUEST_HEADERS = "Authorization, Content-Type, If-Match"
_PREFLIGHT_MAX_AGE_S = 86_400


HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
"""On every answer, errors too: pages of every origin may read it. Without tokens, origins.py says which may ask."""


def _options(methods: str, headers: dict[str, str]) -> web.Response:
    """The answer to OPTIONS, with or without preflight: the `methods` of the resource, and additional `headers`."""
    return web.Response(
        status=204,
        headers={
            "Allow": methods,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": str(_PREFLIGHT_MAX_AGE_S),
            **headers,
        },
    )


def preflight(methods: Iterable[str], headers: dict[str, str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler of OPTIONS, for a resource with these methods."""
    allowed = ", ".join(methods)

    async def handle(_: web.Request) -> web.Response:
        return _options(allowed, headers)

    return handle
