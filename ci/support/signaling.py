"""Bases for fakes of sessions and rooms: a test overrides the methods that it uses, and every other call fails it.

mypy compares them with the Protocols of the HTTP layer, and reports a fake with outdated signatures.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import NoReturn

from fanwire.control.http.contract import Joined, SignalingApi, SignalingSession
from fanwire.control.rooms.events import Event, EventName
from fanwire.control.rooms.layers import PreferredLayers
from fanwire.control.rooms.policy import Permit


def _unexpected(name: str) -> NoReturn:
    raise AssertionError(f"the test does not expect a call of {name}")


class UnusedSession:
    """A session in which every method fails."""

    id: str
    etag: str
    room: str
    kind: str

    def authorize(self, permit: Permit, /) -> None:
        _unexpected("authorize")

    async def trickle(self, fragment: str, /) -> None:
        _unexpected("trickle")

    async def restart_ice(self, fragment: str, /) -> str:
        _unexpected("restart_ice")

    async def choose_layers(self, choices: Mapping[int | None, PreferredLayers], /) -> None:
        _unexpected("choose_layers")

    def open_events(self, names: Collection[EventName], /) -> str:
        _unexpected("open_events")

    def read_events(self, stream_id: str, /) -> AsyncGenerator[list[Event], None]:
        _unexpected("read_events")

    def close_events(self, stream_id: str, /) -> None:
        _unexpected("close_events")

    async def close(self) -> None:
        _unexpected("close")


class UnusedRooms(SignalingApi):
    """Rooms in which every method fails."""

    async def publish(
        self, room: str, offer: str, /, *, identity: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        _unexpected("publish")

    async def subscribe(
        self, room: str, offer: str, /, *, publisher: str | None, permit: Permit | None, client: str | None
    ) -> Joined:
        _unexpected("subscribe")

    def session(self, session_id: str, /) -> SignalingSession:
        _unexpected("session")
