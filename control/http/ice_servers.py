"""The STUN and TURN servers that clients are told of, as Link headers (RFC 9725 section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


@dataclass(frozen=True)
class IceServer:
    """One STUN or TURN server. `username` and `credential` go together, and TURN needs them. Raises ValueError."""

    url: str
    username: str | None = None
    credential: str | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(_SCHEMES) or any(c in '<>"\\' or not "!" <= c <= "~" for c in self.url):
            raise ValueError(f"ICE server {self.url!r}: expected a URL that starts with one of {', '.join(_SCHEMES)}")
        if (self.username is None) != (self.credential is None):
            raise ValueError(f"ICE server {self.url!r}: give both a user name and a credential, or neither")
        if self.url.startswith("turn") and self.username is None:
            raise ValueError(f"ICE server {self.url!r}: a TURN server needs a user name and a credential")


def link_headers(servers: Sequence[IceServer]) -> tuple[str, ...]:
    """One Link header value for each server."""
    return tuple(_link(server) for server in servers)


def _link(server: IceServer) -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is None or server.credential is None:
        return link
    username, credential = _quoted(server.username), _quoted(server.credential)
    return f'{link}; username={username}; credential={credential}; credential-type="password"'


def _quoted(text: str) -> str:
    """An HTTP quoted-string (RFC 9110 section 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
