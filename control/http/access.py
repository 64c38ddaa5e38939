"""Checks requests: bearer tokens (RFC 6750), and rate limits of client addresses."""

from __future__ import annotations

import math

from aiohttp import hdrs, web

from ..config.options import AccessOptions
from ..rooms.errors import Forbidden
from ..rooms.policy import Permit
from .clients import client_of
from .origins import Origins
from .problems import CHALLENGE, Problem
from .throttle import Throttle
from .tokens import TokenError, read

_BURST_S = 10  # seconds' worth of joins are allowed at once, as when a class opens the same page


class Access:
    """Checks requests. Without keys no token is needed: programs and own pages may do all, the API is local."""

    def __init__(self, options: AccessOptions | None = None) -> None:
        options = options or AccessOptions()
        self.keys = options.keys
        self._origins = Origins(options.allow_origin, options.trusted_proxies)
        self._joins = Throttle(options.joins_per_s, options.joins_per_s * _BURST_S)
        self._failures = Throttle(options.failed_auths_per_min / 60, options.failed_auths_per_min)
        self._trusted_proxies = options.trusted_proxies

    def permit(self, request: web.Request) -> Permit | None:
        """The permit in the request's token, or None without keys. Raises Problem 401, 403 or 429."""
        if not self.keys:
            self._origins.check(request)
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
        try:
            return read(self.keys, token.strip())
        except TokenError as error:
            raise self._refuse(request, error) from None

    def _refuse(self, request: web.Request, error: TokenError) -> Problem:
        """The answer to a wrong token. Only wrong tokens count: others at the address may have valid ones."""
        if wait_s := self._failures.take(client_of(request, self._trusted_proxies)):
            return _too_often(
                "Too many wrong tokens came from your address.", "too-many-failed-authentications", wait_s
            )
        return Problem(
            401,
            str(error),
            title="The token is not accepted",
            kind="invalid-token",
            headers={hdrs.WWW_AUTHENTICATE: f'{CHALLENGE}, error="invalid_token", error_description="{error}"'},
        )

    def check_origin(self, request: web.Request) -> None:
        """Raises Problem 403 for the pages that `permit` refuses. For resources that need no token."""
        if not self.keys:
            self._origins.check(request)

    def check_join(self, request: web.Request) -> str:
        """Count an attempt to open a session; returns the key of the client's address.

        Raises Problem 429 if the address has opened too many recently.
        """
        client = client_of(request, self._trusted_proxies)
        if wait_s := self._joins.take(client):
            raise _too_often("Too many sessions were opened from your address.", "joining-too-fast", wait_s)
        return client

    def check_admin(self, request: web.Request, *, metrics: bool = False) -> None:
        """Raises Forbidden unless the token has the admin grant, or with `metrics` the metrics grant."""
        if not self.keys:
            self._origins.check_local(request)
            return
        permit = self.permit(request)
        if permit is None or not (permit.admin or (metrics and permit.metrics)):
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
