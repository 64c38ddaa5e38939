from typing import NamedTuple

NAMES: tuple[str, ...]

class Backend(NamedTuple):
    """A library that encrypts, and in words why it was taken and others were not."""

    name: str
    version: str
    why: str

class BackendError(Exception):
    """A backend does not serve on this machine; the text says why."""

def choose(name: str = "auto") -> Backend:
    """Makes one of NAMES that of all workers and sandboxes that are made from now on. Raises BackendError."""

def chosen() -> Backend:
    """The backend that was chosen last; before the first choice, the fastest that works here. Raises BackendError."""
