"""Who may make a request: bearer tokens (RFC 6750), and limits on how often one address may try."""

from __future__ import annotations

import ipaddress
import math

from aiohttp import hdrs, web
from yarl import URL

from ..config.options import AccessOptions
from ..rooms.errors import Forbidden
from ..rooms.policy import Permit
from .clients import client_of
from .problems import CHALLENGE, Problem
from .throttle import Throttle
from .tokens import TokenError, read

_BURST_S = 10  # seconds' worth of joins may come at once: a class that opens the same page


class Access:
    """Checks requests. Without keys everybody may do everything, and the API at large only from this machine's user."""

    def __init__(self, options: AccessOptions | None = None) -> None:
        options = options or AccessOptions()
        self.keys = options.keys
        self._joins = Throttle(options.joins_per_s, options.joins_per_s * _BURST_S)
        self._failures = Throttle(options.failed_auths_per_min / 60, options.failed_auths_per_min)
        self._trusted_proxies = options.trusted_proxies

    def permit(self, request: web.Request) -> Permit | None:
        """What the request's token permits; None where no token is needed. Raises Problem 401 or 429."""
        if not self.keys:
            return None
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(
                401,
                "Send a token, as in Authorization: Bearer TOKEN.",
                title="A token is needed",
                kind="token-needed",
                headers={hdrs.WWW_AUTHENTICATE: CHALLENGE},
            )
        client = client_of(request, self._trusted_proxies)
        if wait_s := self._failures.wait_s(client):
            raise _too_often("Too many wrong tokens came from your address.", "too-many-failed-authentications", wait_s)
        try:
            return read(self.keys, token.strip())
        except TokenError as error:
            self._failures.take(client)
            raise Problem(
                401,
                str(error),
                title="The token is not accepted",
                kind="invalid-token",
                headers={hdrs.WWW_AUTHENTICATE: f'{CHALLENGE}, error="invalid_token", error_description="{error}"'},
            ) from None

    def check_join(self, request: web.Request) -> None:
        """Count an attempt to open a session. Raises Problem 429 when there were too many of late."""
        if wait_s := self._joins.take(client_of(request, self._trusted_proxies)):
            raise _too_often("Too many sessions were opened from your address.", "joining-too-fast", wait_s)

    def check_admin(self, request: web.Request, *, metrics: bool = False) -> None:
        """Raises unless the request may administer the node, or at least read its metrics, if that is all it wants."""
        permit = self.permit(request)
        if permit is None:
            _check_local(request)
        elif not (permit.admin or (metrics and permit.metrics)):
            raise Forbidden("The token does not allow its bearer to administer the server.")


def _too_often(detail: str, kind: str, wait_s: float) -> Problem:
    seconds = math.ceil(wait_s)
    return Problem(
        429,
        f"{detail} Try again in {seconds} seconds.",
        title="Too many requests",
        kind=kind,
        headers={hdrs.RETRY_AFTER: str(seconds)},
    )


def _check_local(request: web.Request) -> None:
    """Where no token is asked for, keep out the web pages of others that a browser on this machine has open.

    They show by their Origin; one that has pointed its own name at this machine (DNS rebinding) shows by the Host.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if not _is_local_name(request.host) or (origin is not None and _authority(origin) != request.host):
        raise Problem(
            403,
            "Without keys this is only for programs and pages of this machine, under its IP address or as localhost.",
            kind="not-local",
        )


def _authority(origin: str) -> str | None:
    try:
        return URL(origin).authority
    except ValueError:
        return None


def _is_local_name(authority: str) -> bool:
    try:
        host = URL(f"//{authority}").host or ""
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False
