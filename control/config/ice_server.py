"""A STUN or TURN server that the operator names for the clients."""

from __future__ import annotations

from dataclasses import dataclass

_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


@dataclass(frozen=True)
class IceServer:
    """One server: its URL (RFC 7064, RFC 7065), and for TURN also `username` and `credential`. Raises ValueError."""

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
