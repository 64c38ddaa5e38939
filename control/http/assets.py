"""The files of the web pages, read once, with their security and caching headers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from .headers import is_any

_FOLDER = Path(__file__).resolve().parent.parent / "web"

_CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

# Pages run and load only the server's own files. blob: is for media that the page itself creates.
_PAGE_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)",
}


@dataclass(frozen=True)
class Asset:
    """One file. `etag` is a hash of its content, so browsers load a new version of the server at once."""

    body: bytes
    content_type: str
    etag: str
    headers: dict[str, str]

    def response(self, request: web.Request) -> web.Response:
        """The file, or 304 if the browser has it. The browser caches it, and revalidates each time (`no-cache`)."""
        known = {tag.value for tag in request.if_none_match or ()}
        if is_any(request.headers.get(hdrs.IF_NONE_MATCH)) or self.etag in known:
            response = web.Response(status=304, headers=self.headers)
        else:
            response = web.Response(
                body=self.body, content_type=self.content_type, charset="utf-8", headers=self.headers
            )
        response.etag = self.etag
        response.headers["Cache-Control"] = "no-cache"
        return response


@cache
def assets() -> dict[str, Asset]:
    """All files by name."""
    return {path.name: _read(path) for path in _FOLDER.iterdir() if path.suffix in _CONTENT_TYPES}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    headers = _PAGE_HEADERS if path.suffix == ".html" else {}
    return Asset(body, _CONTENT_TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:32], headers)
