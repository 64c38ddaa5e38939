"""Which library encrypts: chosen before anything is measured, and told with the figures."""

from __future__ import annotations

from fanwire.fastpath import backends

NAMES = backends.NAMES
NoSuchBackend = backends.BackendError


def choose(name: str) -> str:
    """Lets this process encrypt with backend `name` of NAMES. Returns its name and version."""
    chosen = backends.choose(name)
    return f"{chosen.name} {chosen.version}"
