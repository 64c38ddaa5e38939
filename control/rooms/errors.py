"""The errors of rooms and sessions, each with a message that may be shown to whoever made the request."""

from __future__ import annotations

from typing import ClassVar

from ..session.negotiate import NegotiationError
from ..session.sdp import SdpError

__all__ = [
    "EtagMismatch",
    "FanwireError",
    "NegotiationError",
    "NothingPublished",
    "SdpError",
    "SessionNotFound",
    "TooManySessions",
]


class FanwireError(Exception):
    """A request that cannot be met. `title` names the kind, `str(error)` tells this occurrence in plain words."""

    title: ClassVar[str] = "The request cannot be met"


class NothingPublished(FanwireError):
    """Nobody, or not the publisher asked for, is publishing in the room. Worth trying again later."""

    title = "Nothing is published here yet"

    def __init__(self, room: str, publisher: str | None = None) -> None:
        who = "Nobody" if publisher is None else f"No publisher called {publisher!r}"
        super().__init__(f"{who} is publishing in room {room!r} at the moment.")


class SessionNotFound(FanwireError):
    """The session has ended or never was."""

    title = "No such session"

    def __init__(self) -> None:
        super().__init__("This session has ended or never existed. Start a new one.")


class EtagMismatch(FanwireError):
    """The request is meant for an ICE session that a restart has replaced."""

    title = "The ICE session has changed"

    def __init__(self) -> None:
        super().__init__("The entity tag is not that of the current ICE session, which a restart has replaced.")


class TooManySessions(FanwireError):
    """A limit on rooms, participants or transports is reached. Worth trying again later."""

    title = "The server is full"
