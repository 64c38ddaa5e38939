"""The errors of rooms and sessions. Their messages may be shown to the client."""

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
    """A request that cannot be served. `title` names the kind of error, `str(error)` explains this occurrence."""

    title: ClassVar[str] = "The request cannot be served"


class NothingPublished(FanwireError):
    """The room has no publisher, or not the requested one. The client may try again later."""

    title = "Nothing is published here yet"

    def __init__(self, room: str, publisher: str | None = None) -> None:
        wanted = "publisher" if publisher is None else f"publisher called {publisher!r}"
        super().__init__(f"Room {room!r} has no {wanted} at the moment.")


class SessionNotFound(FanwireError):
    """The session has ended or never existed."""

    title = "No such session"

    def __init__(self) -> None:
        super().__init__("This session has ended or never existed. Start a new one.")


class SessionEnded(FanwireError):
    """The session ended while it was being set up. A new one may be opened at once."""

    title = "The session has ended already"

    def __init__(self, end: str) -> None:
        super().__init__(f"The session ended while it was being set up: {end}. Start a new one.")


class TooManyUnconnected(FanwireError):
    """A client has the maximum number of unconnected sessions. It may try again once one has connected or ended."""

    title = "Too many sessions have not connected"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Your address, or the subject of your token, has {most} sessions that have not connected yet. Connect or "
            "end one, or wait until they time out."
        )


class NotConnected(FanwireError):
    """The request needs a connected session. The client may try again once ICE and DTLS are done."""

    title = "The session has not connected"

    def __init__(self) -> None:
        super().__init__("Event streams are for sessions that have connected: create them once ICE and DTLS are done.")


class RoomNotFound(FanwireError):
    """The room does not exist."""

    title = "No such room"

    def __init__(self, room: str) -> None:
        super().__init__(f"Room {room!r} does not exist at the moment.")


class EtagMismatch(FanwireError):
    """The request names an ICE session that a restart has replaced."""

    title = "The ICE session has changed"

    def __init__(self) -> None:
        super().__init__("The entity tag is not that of the current ICE session, which a restart has replaced.")


class Forbidden(FanwireError):
    """The token is valid, but does not permit the request."""

    title = "The token does not allow this"


class NotAViewer(FanwireError):
    """The session publishes, but the request is for sessions that watch."""

    title = "The session does not watch"

    def __init__(self) -> None:
        super().__init__("This session publishes. Only sessions that watch can choose layers.")


class NoSuchLayer(FanwireError):
    """The session has no such picture, or its publisher no such encoding."""

    title = "No such layer"


class StreamNotFound(FanwireError):
    """The event stream has ended or never existed."""

    title = "No such event stream"

    def __init__(self) -> None:
        super().__init__("This event stream has ended or never existed. Create a new one.")


class TooManyStreams(FanwireError):
    """The session has the maximum number of event streams."""

    title = "The session has too many event streams"

    def __init__(self, most: int) -> None:
        super().__init__(f"A session may have {most} event streams at a time. Delete one first.")


class Unavailable(FanwireError):
    """The node accepts no session now. The client may try again later, or elsewhere. `kind` names the reason."""

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
        super().__init__("The server is about to stop and accepts no new sessions. Try again in a moment.")
