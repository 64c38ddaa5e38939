"""Which names a client may give to rooms and people."""

from __future__ import annotations

import re

from .problems import Problem

MAX_NAME_CHARS = 128

# The unreserved characters of a URL (RFC 3986 section 2.3); "." and ".." would vanish when a URL is normalised.
NAME_PATTERN = rf"^(?!\.\.?$)[A-Za-z0-9._~-]{{1,{MAX_NAME_CHARS}}}$"
_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Whether rooms and people may be called so."""
    return _NAME.fullmatch(text) is not None


def valid_name(what: str, name: str) -> str:
    """`name` itself when it is allowed. Raises Problem 400 that tells what is allowed; `what` is for the reader."""
    if is_name(name):
        return name
    raise Problem(
        400,
        f"The {what} may have 1 to {MAX_NAME_CHARS} characters: letters (a-z, A-Z), digits and . _ ~ - only, "
        "but is not . or .. alone.",
        title=f"The {what} is not allowed",
        kind="invalid-name",
    )
