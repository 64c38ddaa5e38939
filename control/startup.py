"""Start-up: what the system lets a server have, and in words what it does not."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

_REASONS = {
    errno.EADDRINUSE: "another program uses it already",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 need more rights",
}


class StartupError(Exception):
    """The server cannot start. Its text is for the person who started it."""


def allow_open_files() -> int:
    """Lets this process have as many files and connections open as it may; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else 1 << 20


@contextmanager
def binding(option: str, address: str) -> Iterator[None]:
    """Turns an OSError from taking `address`, which `option` (as in "--http") set, into a StartupError."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StartupError(f"{option}: cannot listen on {address}: {reason}") from error
