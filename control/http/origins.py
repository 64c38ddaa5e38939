"""Checks the web pages that use a server without keys: the Origin of a request (RFC 6454) against its Host."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence

from aiohttp import hdrs, web
from yarl import URL

from ..config.origin import ANY_ORIGIN, read_origin
from ..config.values import Network
from .clients import is_from
from .problems import Problem


class Origins:
    """Checks requests that come from web pages. Programs send no Origin and are not checked.

    `allowed` holds further origins, as `read_origin` returns them; ANY_ORIGIN among them allows all but `null`.
    """

    def __init__(self, allowed: Collection[str] = (), trusted_proxies: Sequence[Network] = ()) -> None:
        self._allowed = frozenset(allowed)
        self._hosts = frozenset(URL(origin).host for origin in allowed if origin != ANY_ORIGIN)
        self._trusted_proxies = trusted_proxies

    def check(self, request: web.Request) -> None:
        """Raises Problem 403 for a page of another origin.

        A page of this server has the authority in Host as its origin. DNS rebinding points a foreign name at this
        server, so that name must be an IP address, localhost, or the host of an allowed origin as well.
        """
        text = request.headers.get(hdrs.ORIGIN)
        if text is None:
            return
        try:
            origin = read_origin(text)
        except ValueError:
            origin = None
        if origin is not None:
            if origin in self._allowed or ANY_ORIGIN in self._allowed:
                return
            host = URL(origin).host or ""
            if _is_same_authority(origin, self._host(request)) and (_is_local_name(host) or host in self._hosts):
                return
        raise Problem(
            403,
            f"A page of {text[:200]} may not use this server, which asks for no tokens: only its own pages may, under "
            "its IP address or as localhost. The operator can allow more with --allow-origin.",
            title="The web page may not use this server",
            kind="origin-not-allowed",
        )

    def check_local(self, request: web.Request) -> None:
        """Raises Problem 403 unless the request is for an IP address or localhost, and not from a foreign page."""
        origin = request.headers.get(hdrs.ORIGIN)
        own = _is_local_name(_host_of(request.host)) and (origin is None or _is_same_authority(origin, request.host))
        if not own:
            raise Problem(
                403,
                "Without keys this is only for programs and pages of this machine, under its IP address or as "
                "localhost.",
                kind="not-local",
            )

    def _host(self, request: web.Request) -> str:
        """The authority that the client asked for. Only a trusted proxy may report another than its own request's."""
        if is_from(request, self._trusted_proxies):
            forwarded = request.headers.get("X-Forwarded-Host", "").partition(",")[0].strip()
            return forwarded or request.host
        return request.host


def _is_same_authority(origin: str, authority: str) -> bool:
    """Whether host and port are the same. A missing port is the default of the origin's scheme."""
    try:
        url = URL(origin)
        return (
            bool(url.host) and url.host_port_subcomponent == URL(f"{url.scheme}://{authority}").host_port_subcomponent
        )
    except ValueError:
        return False


def _host_of(authority: str) -> str:
    try:
        return URL(f"//{authority}").host or ""
    except ValueError:
        return ""


def _is_local_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
