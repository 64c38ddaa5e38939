"""Counts sessions from their offer to their end, and refuses those beyond the limits on sessions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from ..config.options import RoomOptions
from .errors import TooManySessions, TooManySessionsInRoom, TooManyUnconnected
from .room import Room


class Admission:
    """The sessions of a node, including those that are opening or closing.

    A session counts as unconnected for its clients until its ticket's `connect` or `leave`. `clients` are keys that the
    caller makes: one for an address, one for the subject of a token.
    """

    def __init__(self, options: RoomOptions) -> None:
        self.sessions = 0
        self._options = options
        self._unconnected: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    async def wait_until_empty(self) -> None:
        """Returns once no session is left."""
        await self._empty.wait()

    def enter(self, room: Room, clients: Sequence[str]) -> Ticket:
        """Count a session that is about to open. Raises Unavailable, TooManyUnconnected."""
        options = self._options
        if self.sessions >= options.max_sessions:
            raise TooManySessions(f"The server has its maximum of {options.max_sessions} sessions. Try again later.")
        if room.sessions >= options.max_sessions_per_room:
            raise TooManySessionsInRoom(
                f"Room {room.name!r} has its maximum of {options.max_sessions_per_room} sessions. Try again later."
            )
        if any(self._unconnected[client] >= options.max_unconnected_per_client for client in clients):
            raise TooManyUnconnected(options.max_unconnected_per_client)
        self._unconnected.update(clients)
        self.sessions += 1
        room.sessions += 1
        self._empty.clear()
        return Ticket(self, room, clients)

    def connect(self, clients: Sequence[str]) -> None:
        """Count a session as connected, or as ended before it connected."""
        self._unconnected.subtract(clients)
        for client in clients:
            if self._unconnected[client] <= 0:
                del self._unconnected[client]

    def leave(self, room: Room) -> None:
        """Count a session out."""
        self.sessions -= 1
        room.sessions -= 1
        if self.sessions == 0:
            self._empty.set()


class Ticket:
    """One admitted session. `connect` and `leave` may be called more than once."""

    def __init__(self, admission: Admission, room: Room, clients: Sequence[str]) -> None:
        self._admission = admission
        self._room: Room | None = room
        self._clients: Sequence[str] = clients

    def connect(self) -> None:
        """Count the session as connected."""
        clients, self._clients = self._clients, ()
        self._admission.connect(clients)

    def leave(self) -> None:
        """Count the session out."""
        self.connect()
        if self._room is not None:
            room, self._room = self._room, None
            self._admission.leave(room)
