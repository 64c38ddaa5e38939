"""The syntax of the names of rooms and identities."""

from __future__ import annotations

import re

from .problems import Problem

MAX_NAME_CHARS = 128

# The unreserved characters of a URL (RFC 3986 section 2.3); "." and ".." would vanish when a URL is normalised.
NAME_PATTERN = rf"^(?!\.\.?$)[A-Za-z0-9._~-]{{1,{MAX_NAME_CHARS}}}$"
_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Whether this is a valid name of a room or identity."""
    return _NAME.fullmatch(text) is not None


def valid_name(kind: str, name: str) -> str:
    """Returns `name` if it is valid. Raises Problem 400, which calls it `kind` and says what is allowed."""
    if is_name(name):
        return name
    raise Problem(
        400,
        f"The {kind} may have 1 to {MAX_NAME_CHARS} characters: letters (a-z, A-Z), digits and . _ ~ - only, "
        "but is not . or .. alone.",
        title=f"The {kind} is not allowed",
        kind="invalid-name",
    )
