"""Permissions: the permit in a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import Forbidden

SessionKind = Literal["publish", "subscribe"]

ANY_ROOM = "*"


@dataclass(frozen=True, slots=True)
class Permit:
    """The permissions of a token's bearer, until `expires_at` (Unix time in seconds).

    `room` is one room's name, or ANY_ROOM, and limits `publish` and `subscribe`. `admin` (everything in the API) and
    `metrics` (reading them) apply to the whole node.
    """

    identity: str
    expires_at: float
    room: str | None = None
    publish: bool = False
    subscribe: bool = False
    admin: bool = False
    metrics: bool = False

    def check(self, kind: SessionKind, room: str) -> None:
        """Raises Forbidden unless the bearer may publish, or subscribe, in `room`."""
        if self.room not in (ANY_ROOM, room):
            raise Forbidden(f"The token is not for room {room!r}.")
        if not getattr(self, kind):
            raise Forbidden(f"The token does not allow its bearer to {kind}.")
