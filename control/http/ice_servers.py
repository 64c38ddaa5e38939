"""The STUN and TURN servers for clients, as Link headers (RFC 9725 section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from ..config.ice_server import IceServer


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
