"""How much a node takes on: what the operator may bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most there may be at one time: of sessions, of rooms, and of media sections in the offer of a session.

    The last bounds the producers and consumers on a transport, which are no more than those.
    """

    sessions: int = 10_000
    sessions_per_room: int = 10_000
    rooms: int = 1_000
    media_per_session: int = 16
