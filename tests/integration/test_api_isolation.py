"""A part that fails, or is given up, ends its own resources and nothing else. The failures are injected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ci.support.node import Node, running_node
from fanwire.control.media.worker_handle import WorkerHandle


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node(max_sessions=100) as node:
        yield node


async def fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("injected")


async def test_a_task_that_fails_ends_its_own_session(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    stays, goes = await node.publish("ann"), await node.publish("bob")
    goes.session.run_soon(fail())
    await node.wait_until_left(stays)
    assert goes.session.end == "an internal error"
    assert "injected" in caplog.text


async def test_a_handshake_that_fails_on_a_datagram_ends_its_own_session(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = await node.publish("ann"), await node.publish("bob")

    def receive(_: bytes) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(goes.session._handshake, "receive", receive)
    goes.session.on_datagram(b"\x16")
    await node.wait_until_left(stays)


async def test_a_viewer_that_cannot_follow_is_the_only_one_to_go(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await node.publish("ann")
    stays, goes = await node.subscribe(), await node.subscribe()
    bind = node.engine.bind_consumer
    (place,) = node.rooms.rooms.values()
    (broken,) = (one.consumers[0][0] for one in place.subscriptions if one.session is goes.session)

    async def bind_or_fail(consumer: Any, *arguments: Any, **more: Any) -> None:
        await (fail() if consumer == broken else bind(consumer, *arguments, **more))

    monkeypatch.setattr(node.engine, "bind_consumer", bind_or_fail)
    bob = await node.publish("bob")
    await node.wait_until_left(ann, stays, bob)
    (subscription,) = place.subscriptions
    assert subscription.following is not None
    assert subscription.following.identity == "bob"


async def test_a_session_lets_go_of_its_transport_though_leaving_its_room_fails(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = await node.publish("ann"), await node.publish("bob")
    with monkeypatch.context() as injected:
        injected.setattr(node.engine, "remove_producer", fail)
        with pytest.raises(RuntimeError):
            await goes.close()
    await node.wait_until_left(stays)


@pytest.mark.parametrize("kind", ["publish", "subscribe"])
async def test_a_join_given_up_at_any_step_leaves_nothing_behind(node: Node, kind: str) -> None:
    ann = await node.publish("ann")
    members = {ann.id: ann}
    for steps in range(60):
        joining = asyncio.create_task(node.offer("bob") if kind == "publish" else node.subscribe())
        for _ in range(steps):
            await asyncio.sleep(0 if steps % 2 else 0.0005)
        joining.cancel()
        await asyncio.wait([joining])
        if not joining.cancelled():
            await joining.result().close()
    await node.wait_until_left(*members.values())
    assert len(node.engine.relays) == 0
    assert len(node.engine.producers) == len(ann.session._mids)
    assert not node.engine.consumers


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_transport_is_closed_whose_opener_goes_as_the_worker_answers(
    node: Node, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    settle = WorkerHandle._settle
    joining = asyncio.create_task(node.publish("bob"))

    def give_up(worker: WorkerHandle, result: Any) -> None:
        if when == "before":
            joining.cancel()
        settle(worker, result)
        joining.cancel()

    monkeypatch.setattr(WorkerHandle, "_settle", give_up)
    await asyncio.wait([joining])
    assert joining.cancelled()
    await node.wait_until_left()
