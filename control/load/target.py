"""The HTTP client for the tested server: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep)."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

import aiohttp
from yarl import URL

_JOIN_TIMEOUT_S = 30.0
_LEAVE_TIMEOUT_S = 10.0


class TargetError(Exception):
    """The server refused a client. Equal refusals have equal messages, because the report counts them."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The server's answer, and the URL of the session, if the server named one."""

    sdp: str
    resource: URL | None


class Target:
    """One server. All clients share `http`; `token` is sent as a bearer token."""

    def __init__(self, http: aiohttp.ClientSession, token: str | None = None) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def join(self, endpoint: str, offer: str) -> Joined:
        """Send an offer, following redirects. Raises TargetError."""
        headers = {**self._headers, "Content-Type": "application/sdp", "Accept": "application/sdp"}
        timeout = aiohttp.ClientTimeout(total=_JOIN_TIMEOUT_S)
        try:
            async with self._http.post(endpoint, data=offer.encode(), headers=headers, timeout=timeout) as response:
                body = await response.text(errors="replace")
                if response.status != 201:
                    problem = _problem(response.content_type, body)
                    raise TargetError(f"HTTP {response.status} {response.reason}{problem}")
                location = response.headers.get("Location")
                return Joined(body, response.url.join(URL(location)) if location else None)
        except TimeoutError:
            raise TargetError(f"no answer over HTTP within {_JOIN_TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise TargetError(f"HTTP: {error}") from None

    async def leave(self, resource: URL) -> None:
        """End a session. Errors are ignored: the server may have ended it."""
        timeout = aiohttp.ClientTimeout(total=_LEAVE_TIMEOUT_S)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._http.delete(resource, headers=self._headers, timeout=timeout):
                pass


def _problem(content_type: str, body: str) -> str:
    """The title of a problem document (RFC 9457) after a colon; empty where the body is none."""
    if content_type != "application/problem+json":
        return ""
    try:
        title = json.loads(body)["title"]
    except (ValueError, TypeError, KeyError):
        return ""
    return f": {str(title)[:80]}"
