"""The headers of all answers, and the comparison of entity tags with `*`."""

from __future__ import annotations

from aiohttp import hdrs, web

from . import cors

COMMON = {
    **cors.HEADERS,
    hdrs.SERVER: "Fanwire",  # and no version, of it or of a library
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # addresses name rooms, and may be permissions
}


async def add_common(_: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for `Application.on_response_prepare`."""
    response.headers.update(COMMON)


def is_any(value: str | None) -> bool:
    """Whether an If-Match or If-None-Match header is `*` (RFC 9110 section 13.1.1). `"*"`, in quotes, is a tag."""
    return value is not None and value.strip() == "*"
