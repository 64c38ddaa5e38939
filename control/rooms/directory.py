"""The rooms of a node by name. A room is hidden from the first offer to publish until the first media."""

from __future__ import annotations

from collections.abc import Mapping

from ..media.engine import Engine
from .errors import RoomNotFound, TooManyRooms
from .room import Room


class Directory:
    """At most `max_rooms` open rooms. Hidden ones are bounded by the limits on sessions: each has at least one."""

    def __init__(self, engine: Engine, max_rooms: int) -> None:
        self._engine = engine
        self._max_rooms = max_rooms
        self._open: dict[str, Room] = {}
        self._hidden: dict[str, Room] = {}

    @property
    def open(self) -> Mapping[str, Room]:
        """Every room that is not hidden, by its name."""
        return self._open

    def find(self, name: str) -> Room:
        """The open room of that name. Raises RoomNotFound."""
        try:
            return self._open[name]
        except KeyError:
            raise RoomNotFound(name) from None

    def enter(self, name: str) -> Room:
        """The room of that name, open or hidden, or a new hidden one. Raises TooManyRooms."""
        room = self._open.get(name)
        if room is None:
            self._check_limit()
            room = self._hidden.setdefault(name, Room(name, self._engine))
        return room

    def show(self, room: Room) -> None:
        """Open a hidden room, which now has media. Raises TooManyRooms, and the room stays hidden."""
        if room.name not in self._open:
            self._check_limit()
            self._open[room.name] = self._hidden.pop(room.name)

    def leave(self, room: Room) -> None:
        """Forget the room if it has no session left."""
        if room.sessions == 0:
            for rooms in (self._open, self._hidden):
                if rooms.get(room.name) is room:
                    del rooms[room.name]

    def _check_limit(self) -> None:
        if len(self._open) >= self._max_rooms:
            raise TooManyRooms(f"The server has its maximum of {self._max_rooms} rooms. Try again later.")
