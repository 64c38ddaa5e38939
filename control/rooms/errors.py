"""The errors of rooms and sessions, each with a message that may be shown to whoever made the request."""

from __future__ import annotations

from typing import ClassVar

from ..session.negotiate import NegotiationError
from ..session.sdp import SdpError

__all__ = [
    "Draining",
    "EtagMismatch",
    "FanwireError",
    "Forbidden",
    "NegotiationError",
    "NoSuchLayer",
    "NotAViewer",
    "NotConnected",
    "NothingPublished",
    "RoomNotFound",
    "SdpError",
    "SessionEnded",
    "SessionNotFound",
    "StreamNotFound",
    "TooManyRooms",
    "TooManySessions",
    "TooManySessionsInRoom",
    "TooManyStreams",
    "TooManyUnconnected",
    "Unavailable",
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


class SessionEnded(FanwireError):
    """The session ended while it was being set up. A new one may be opened at once."""

    title = "The session has ended already"

    def __init__(self, end: str) -> None:
        super().__init__(f"The session ended while it was being set up: {end}. Start a new one.")


class TooManyUnconnected(FanwireError):
    """A client has as many sessions as it may that have not connected. Worth trying again once these have."""

    title = "Too many sessions have not connected"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Your address, or the subject of your token, has {most} sessions that have not connected yet. Connect or "
            "end one, or wait until they time out."
        )


class NotConnected(FanwireError):
    """Only a session whose media connection is up may do this. Worth trying again once it is."""

    title = "The session has not connected"

    def __init__(self) -> None:
        super().__init__("Event streams are for sessions that have connected: create them once ICE and DTLS are done.")


class RoomNotFound(FanwireError):
    """Nobody is in a room of that name."""

    title = "No such room"

    def __init__(self, room: str) -> None:
        super().__init__(f"Nobody is in room {room!r} at the moment.")


class EtagMismatch(FanwireError):
    """The request is meant for an ICE session that a restart has replaced."""

    title = "The ICE session has changed"

    def __init__(self) -> None:
        super().__init__("The entity tag is not that of the current ICE session, which a restart has replaced.")


class Forbidden(FanwireError):
    """The token is good, but not for this."""

    title = "The token does not allow this"


class NotAViewer(FanwireError):
    """The session sends, and what is asked for is for those that receive."""

    title = "The session does not watch"

    def __init__(self) -> None:
        super().__init__("This session publishes. Layers are chosen in a session that watches.")


class NoSuchLayer(FanwireError):
    """The session has no such medium, or its publisher no such encoding."""

    title = "No such layer"


class StreamNotFound(FanwireError):
    """The event stream was ended, with its session or alone, or never was."""

    title = "No such event stream"

    def __init__(self) -> None:
        super().__init__("This event stream has ended or never existed. Create a new one.")


class TooManyStreams(FanwireError):
    """A session has as many event streams as it may."""

    title = "The session has enough event streams"

    def __init__(self, most: int) -> None:
        super().__init__(f"A session may have {most} event streams at a time. Delete one first.")


class Unavailable(FanwireError):
    """The node takes nobody in now. Worth trying again later, or elsewhere. `kind` tells the reasons apart."""

    kind: ClassVar[str]


class TooManySessions(Unavailable):
    """The node's limit on sessions, or on a worker's transports, is reached."""

    title = "The server is full"
    kind = "too-many-sessions"


class TooManySessionsInRoom(Unavailable):
    """A room's limit on sessions is reached."""

    title = "The room is full"
    kind = "too-many-sessions-in-room"


class TooManyRooms(Unavailable):
    """The limit on rooms is reached."""

    title = "The server has no more rooms"
    kind = "too-many-rooms"


class Draining(Unavailable):
    """The node is about to stop."""

    title = "The server is about to stop"
    kind = "draining"

    def __init__(self) -> None:
        super().__init__("The server is about to stop and lets nobody in any more. Try again in a moment.")
