"""Rooms over a real engine in this process, where a test may inject failures and media."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fanwire.control.config.options import RoomOptions
from fanwire.control.media.engine import CloseReason, Engine, EngineConfig, Kind, Path, TransportChange, TransportState
from fanwire.control.rooms.member import Member
from fanwire.control.rooms.rooms import Rooms
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.session import SessionServices

from . import offers
from .waiting import until

PUBLISH = offers.text("aiortc-publish")
SUBSCRIBE = offers.text("aiortc-subscribe")


class Node:
    """Two workers and the rooms over them."""

    def __init__(self, engine: Engine, rooms: Rooms) -> None:
        self.engine = engine
        self.rooms = rooms

    async def offer(self, identity: str, room: str = "stage", **more: Any) -> Member:
        """Returns a publisher without media."""
        joined = await self.rooms.publish(room, PUBLISH, identity=identity, **more)
        return self.rooms.sessions[joined.session.id]

    async def publish(self, identity: str) -> Member:
        """Returns a publisher whose media has arrived."""
        member = await self.offer(identity)
        media_comes(member, Kind.AUDIO, Kind.VIDEO)
        await until(self.publishers, lambda found: identity in found, 2, every_s=0.01)
        return member

    async def publishers(self) -> set[str]:
        """The identities of publishers with media."""
        return {one.identity for room in self.rooms.rooms.values() for one in room.publications}

    async def subscribe(self, publisher: str | None = None, **more: Any) -> Member:
        """Returns a viewer that has not connected yet."""
        joined = await self.rooms.subscribe("stage", SUBSCRIBE, publisher=publisher, **more)
        return self.rooms.sessions[joined.session.id]

    async def wait_until_left(self, *members: Member) -> None:
        """Waits until only these sessions, and the transports of these, exist."""

        async def state() -> tuple[set[str], int]:
            return set(self.rooms.sessions), sum(worker.load for worker in self.engine.workers)

        await until(state, lambda found: found == ({member.id for member in members}, len(members)), 2, every_s=0.01)
        assert bool(self.rooms.rooms) == bool(members)


def media_comes(member: Member, *kinds: Kind) -> None:
    """Reports a connected session and media of these kinds, as the core does."""
    path = Path(("127.0.0.1", 9), ("127.0.0.1", 9))
    state, reason = TransportState.KEYED, CloseReason.NONE
    member.session.note_connected()
    member.session.on_change(TransportChange(member.session.transport, state, reason, path, frozenset(kinds)))


@contextlib.asynccontextmanager
async def running_node(**options: Any) -> AsyncIterator[Node]:
    """A node, which must be empty at the end."""
    config = EngineConfig(udp=[[("127.0.0.1", 0)], [("127.0.0.1", 0)]])
    async with Engine(config) as engine:
        with ThreadPoolExecutor(1) as executor:
            rooms = Rooms(SessionServices(engine, Certificate.generate(), executor), RoomOptions(**options))
            node = Node(engine, rooms)
            yield node
            await rooms.close()
            await node.wait_until_left()
