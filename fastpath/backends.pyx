# cython: language_level=3
"""Which library encrypts: chosen once, when the server or a benchmark starts."""

from typing import NamedTuple

import pylibsrtp._binding

from .core cimport *
from .crypto cimport *

NAMES = ("auto", "ipsec-mb", "libcrypto")

load_crypto(pylibsrtp._binding.__file__)


class Backend(NamedTuple):
    name: str
    version: str
    why: str


class BackendError(Exception):
    pass


def choose(str name="auto"):
    cdef fw_choice_t choice
    if name not in NAMES:
        raise BackendError(f"{name!r} is none of {', '.join(NAMES)}")
    choice = fw_backend_choose(name.encode())
    if choice.backend == NULL:
        raise BackendError(choice.why.decode())
    return chosen()


def chosen():
    cdef const fw_choice_t *choice = fw_backend_chosen()
    if choice.backend == NULL:
        return choose()
    return Backend(choice.backend.name.decode(), choice.version.decode(), choice.why.decode())
