"""Reads the bodies of requests, and checks their type, length and encoding."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from .problems import Problem

JSON = "application/json"

_BODY_S = 10.0  # enough for a few kilobytes


async def read_text(request: web.Request, content_type: str, accepts: str) -> str:
    """The body as text. Raises Problem 415 (`accepts` is the header that names the right type), 413, 408 or 400."""
    if request.content_type != content_type:
        raise Problem(415, f"Send the body as {content_type}.", headers={accepts: content_type})
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size)
    try:
        async with asyncio.timeout(_BODY_S):
            return (await request.read()).decode()
    except TimeoutError:
        raise Problem(408, "The body did not arrive in time.") from None
    except ConnectionError:
        raise Problem(400, "The connection ended before the body.") from None
    except UnicodeDecodeError:
        raise Problem(400, "The body is not UTF-8 text.") from None


async def read_json(request: web.Request) -> Any:
    """The JSON in the body. Raises as `read_text` does."""
    text = await read_text(request, JSON, "Accept")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON.") from None


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body. Raises as `read_text` does."""
    value = await read_json(request)
    if not isinstance(value, dict):
        raise Problem(400, "The body is not a JSON object.")
    return value
