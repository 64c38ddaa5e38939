"""Rooms that refuse every session, for tests of HTTP only."""

from __future__ import annotations

from fanwire.control.http.contract import Joined, SignalingSession
from fanwire.control.rooms.errors import SessionNotFound, TooManySessions
from fanwire.control.rooms.policy import Permit


class NoRooms:
    """Refuses every session: the tested pages start none."""

    async def publish(
        self, room: str, offer: str, /, *, identity: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        raise TooManySessions("full")

    async def subscribe(
        self, room: str, offer: str, /, *, publisher: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        raise TooManySessions("full")

    def session(self, session_id: str, /) -> SignalingSession:
        raise SessionNotFound
