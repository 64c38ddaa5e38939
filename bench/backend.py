"""Which library encrypts: chosen before anything is measured, and told with the figures."""

from __future__ import annotations

import importlib

NAMES = ("auto", "ipsec-mb", "libcrypto")


class NoSuchBackend(RuntimeError):
    """It cannot be chosen here; the text says why."""


def choose(name: str) -> str:
    """Lets this process encrypt with backend `name` of NAMES. Returns its name and version."""
    try:
        backends = importlib.import_module("fanwire.fastpath.backends")
    except ModuleNotFoundError:
        if name == "auto":
            return "libsrtp"
        raise NoSuchBackend("this build has libsrtp alone: leave --backend out") from None
    chosen = backends.choose(name)
    return f"{chosen.name} {chosen.version}"
