"""Puts a failure to take an address at start-up into words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_REASONS = {
    errno.EADDRINUSE: "another program uses it already",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 need more rights",
}


class StartupError(Exception):
    """The server cannot start. Its text is for the person who started it."""


@contextmanager
def binding(option: str, address: str) -> Iterator[None]:
    """Turns an OSError from taking `address`, which `option` (as in "--http") set, into a StartupError."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StartupError(f"{option}: cannot listen on {address}: {reason}") from error
