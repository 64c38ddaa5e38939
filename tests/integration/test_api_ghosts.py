"""Sessions that have no media, or have not connected: the limits of their effect on others, and of their number.

Where there is no real client, the rooms and the engine are real, and the reports that media has come are injected.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from ci.support import offers
from ci.support.crowd import Crowd
from ci.support.node import Node, media_comes, running_node
from ci.support.server import Server
from ci.support.waiting import until
from fanwire.control.media.engine import Kind
from fanwire.control.rooms import participant
from fanwire.control.rooms.errors import (
    NotConnected,
    NothingPublished,
    RoomNotFound,
    SessionEnded,
    TooManyRooms,
    TooManyUnconnected,
)
from fanwire.control.rooms.member import Member
from fanwire.control.rooms.policy import Permit

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}


def followed(node: Node, viewer: Member) -> str | None:
    """The session id of the publisher that a viewer follows."""
    (subscription,) = [one for one in node.rooms.room("stage").subscriptions if one.session is viewer.session]
    return subscription.following.session.id if subscription.following is not None else None


def offered(member: Member) -> int:
    """Orders publishers by their offers."""
    part = member._part
    assert isinstance(part, participant.Publication)
    return part.number


async def wait_until_followed(node: Node, viewer: Member, publisher: Member) -> None:
    async def now() -> str | None:
        return followed(node, viewer)

    await until(now, lambda found: found == publisher.id, 2, every_s=0.01)


async def test_a_publisher_without_media_moves_nobody_and_replaces_nobody() -> None:
    async with running_node() as node:
        ann = await node.publish("ann")
        viewer, named = await node.subscribe(), await node.subscribe("ann")
        ghost, twin = await node.offer("ghost"), await node.offer("ann")
        media_comes(twin)  # connected, and silent
        await asyncio.sleep(0.1)
        assert {followed(node, one) for one in (viewer, named)} == {ann.id}
        assert ann.session.end is None
        assert node.rooms.room("stage").publications[-1].session is ann.session
        media_comes(twin, Kind.VIDEO)
        await wait_until_followed(node, named, twin)
        await wait_until_followed(node, viewer, twin)
        await node.wait_until_left(viewer, named, ghost, twin)
        assert ann.session.end == "the publisher has come back in another session"


async def test_offers_that_never_connect_do_not_touch_a_live_call(server: Server, room: str) -> None:
    """With real clients, who miss no packet."""
    async with Crowd() as crowd, aiohttp.ClientSession() as http:
        publisher = await crowd.publish(f"{server.whip(room)}?identity=ann", rate_bps=300_000)
        viewers = [*await crowd.watch(server.whep(room), 2, checking=2)]
        viewers += await crowd.watch(f"{server.whep(room)}?publisher=ann", 2, checking=2)
        ghosts = []
        for identity in ("ann", "ghost") * 5:
            url = f"{server.whip(room)}?identity={identity}"
            async with http.post(url, data=offers.text("aiortc-publish"), headers=SDP) as response:
                assert response.status == 201
                ghosts.append(server.url + response.headers["Location"])
        before = [viewer.media for viewer in viewers]
        await asyncio.sleep(2)
        assert all(viewer.media - count > 100 for viewer, count in zip(viewers, before, strict=True))
        await publisher.stop()

        async def complete() -> bool:
            return all(viewer.has_all(publisher) for viewer in viewers)

        await until(complete, bool, 5)
        for ghost in ghosts:
            assert (await http.delete(ghost)).status == 200


async def test_a_room_opens_when_media_comes() -> None:
    async with running_node() as node:
        ann = await node.offer("ann")
        with pytest.raises(NothingPublished):
            await node.subscribe()
        with pytest.raises(RoomNotFound):
            node.rooms.room("stage")
        assert not node.rooms.rooms
        media_comes(ann, Kind.VIDEO)
        await until(node.publishers, lambda found: found == {"ann"}, 2, every_s=0.01)
        await node.subscribe()


async def test_a_publisher_whose_camera_is_off_is_waited_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(participant, "_LATE_MEDIA_S", 0.2)
    async with running_node() as node:
        ann = await node.offer("ann")
        media_comes(ann, Kind.AUDIO)
        await asyncio.sleep(0.05)
        assert await node.publishers() == set()
        await until(node.publishers, lambda found: found == {"ann"}, 2, every_s=0.01)
        gone = await node.offer("bob")
        media_comes(gone, Kind.AUDIO)
        await gone.close()
        await asyncio.sleep(0.3)
        assert await node.publishers() == {"ann"}


async def test_offers_at_once_under_one_identity_are_all_answered_and_the_first_media_decides() -> None:
    async with running_node() as node:
        answered = await asyncio.gather(*(node.offer("ann") for _ in range(20)))
        assert all(member.session.end is None for member in answered)
        sessions = sorted(answered, key=offered)
        media_comes(sessions[10], Kind.VIDEO)
        await node.wait_until_left(*sessions[10:])
        media_comes(sessions[19], Kind.VIDEO)
        await node.wait_until_left(sessions[19])


async def test_a_session_that_ends_while_it_is_set_up_is_a_conflict_that_tells_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_node() as node:
        add, opened = node.engine.add_producer, node.engine.open_transport
        sessions: list[Any] = []

        async def keep(ufrag: str, pwd: str, session: Any, **more: Any) -> Any:
            sessions.append(session)
            return await opened(ufrag, pwd, session, **more)

        async def end_first(transport: Any, spec: Any) -> Any:
            await sessions[0].close("its token was revoked")
            return await add(transport, spec)

        monkeypatch.setattr(node.engine, "open_transport", keep)
        monkeypatch.setattr(node.engine, "add_producer", end_first)
        with pytest.raises(SessionEnded, match="its token was revoked"):
            await node.offer("ann")


async def test_sessions_that_have_not_connected_are_bounded_for_an_address_and_for_a_subject() -> None:
    ann, bob = (Permit(name, time.time() + 60, "*", publish=True) for name in ("ann", "bob"))
    async with running_node(max_unconnected_per_client=2) as node:
        first, second = await node.offer("a", client="192.0.2.1"), await node.offer("b", client="192.0.2.1")
        with pytest.raises(TooManyUnconnected, match="has 2 sessions"):
            await node.offer("c", client="192.0.2.1")
        media_comes(first)
        await node.offer("c", client="192.0.2.1")
        with pytest.raises(TooManyUnconnected):
            await node.offer("d", client="192.0.2.1")
        await second.close()
        await node.offer("d", client="192.0.2.1")
        for number in range(2):
            await node.offer("ann", f"room-{number}", client=f"192.0.2.{number + 2}", permit=ann)
        with pytest.raises(TooManyUnconnected):
            await node.offer("ann", client="192.0.2.4", permit=ann)
        await node.offer("bob", client="192.0.2.4", permit=bob)


async def test_rooms_without_media_take_no_places_of_others() -> None:
    async with running_node(max_rooms=1) as node:
        ghosts = [await node.offer("ghost", f"room-{number}") for number in range(5)]
        await node.publish("ann")
        with pytest.raises(TooManyRooms):
            await node.offer("bob", "another")
        media_comes(ghosts[0], Kind.VIDEO)

        async def end() -> str | None:
            return ghosts[0].session.end

        assert "maximum of 1 rooms" in str(await until(end, bool, 2, every_s=0.01))
        assert set(node.rooms.rooms) == {"stage"}


async def test_a_viewer_that_has_not_connected_holds_no_event_stream() -> None:
    async with running_node() as node:
        await node.publish("ann")
        viewer = await node.subscribe()
        with pytest.raises(NotConnected):
            viewer.open_events(["active"])
        media_comes(viewer)
        stream = viewer.open_events(["active"])
        async for events in viewer.read_events(stream):
            assert [event.name for event in events] == ["active"]
            break
