"""Origins of web pages (RFC 6454): `https://player.example`, with a port where it is not the scheme's own."""

from __future__ import annotations

from yarl import URL

ANY_ORIGIN = "*"


def read_origin(text: str) -> str:
    """An origin in its one spelling (RFC 6454 section 6.2), without a default port. Raises ValueError."""
    url = URL(text)
    if url.scheme not in ("http", "https") or str(url) not in (str(url.origin()), f"{url.origin()}/"):
        raise ValueError("an origin has a scheme, a host and perhaps a port")
    return str(url.origin())
