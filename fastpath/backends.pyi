from typing import Literal, NamedTuple

Name = Literal["auto", "ipsec-mb", "libcrypto"]
NAMES: tuple[Name, ...]

class Backend(NamedTuple):
    """A library that encrypts, and in words why it was taken and others were not."""

    name: str
    version: str
    why: str

class BackendError(Exception):
    """A backend does not serve on this machine; the text says why."""

def choose(name: Name = "auto") -> Backend:
    """Makes it the one of all workers and sandboxes that are made from now on. Raises BackendError."""

def chosen() -> Backend:
    """What was chosen last; the fastest that there is where nobody has chosen. Raises BackendError."""
