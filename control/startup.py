"""Start-up: raises the limit on open files, and explains why an address cannot be bound."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

_REASONS = {
    errno.EADDRINUSE: "another program uses it already",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 need more privileges",
}


class StartupError(Exception):
    """The server cannot start. The text is for the operator."""


def allow_open_files() -> int:
    """Raise the soft limit on open files to the hard limit. Returns the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else 1 << 20


@contextmanager
def binding(option: str, address: str) -> Iterator[None]:
    """Turns an OSError from binding `address`, which `option` (as in "--http") set, into a StartupError."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StartupError(f"{option}: cannot listen on {address}: {reason}") from error
