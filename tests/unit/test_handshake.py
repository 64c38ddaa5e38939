"""A handshake on the event loop: it never blocks the loop, never overlaps itself, and always ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import pytest_asyncio

from ci.support.dtls import fingerprints, foreign_certificate, pair
from fanwire.control.session import dtls_records
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation, DtlsError, DtlsState
from fanwire.control.session.handshake import Handshake

OURS = Certificate.generate()
THEIRS = Certificate.generate()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """Each test must leave no task, and nothing that the loop would complain of."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}
    gc.collect()
    assert complaints == []


class Link:
    """Two handshakes that send to each other; `lose` says which datagrams do not arrive."""

    def __init__(self, executor: ThreadPoolExecutor, lose: Callable[[bytes], bool] = lambda _: False) -> None:
        client, server = pair(OURS, THEIRS)
        self._lose = lose
        self.client = Handshake(client, executor=executor, send=lambda data: self._carry(data, self.server))
        self.server = Handshake(server, executor=executor, send=lambda data: self._carry(data, self.client))

    def _carry(self, datagram: bytes, receiver: Handshake) -> None:
        if not self._lose(datagram):
            receiver.receive(datagram)

    async def __aenter__(self) -> Link:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await self.server.close()


async def test_both_sides_get_matching_keys(executor: ThreadPoolExecutor) -> None:
    async with Link(executor) as link:
        link.client.start()
        ours, theirs = await asyncio.gather(link.server.done, link.client.done)
        assert (ours.local, ours.remote) == (theirs.remote, theirs.local)


async def test_whoever_stops_waiting_does_not_end_it(executor: ThreadPoolExecutor) -> None:
    async with Link(executor) as link:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.server.done, timeout=0.01)
        link.client.start()
        await asyncio.gather(link.server.done, link.client.done)


async def test_a_lost_hello_is_sent_again(executor: ThreadPoolExecutor) -> None:
    seen: list[bytes] = []

    def lose_first(datagram: bytes) -> bool:
        seen.append(datagram)
        return len(seen) == 1

    async with Link(executor, lose_first) as link:
        link.client.start()
        await asyncio.gather(link.server.done, link.client.done)


async def test_many_handshakes_run_off_the_loop_and_none_overlaps_itself() -> None:
    loop_thread = threading.get_ident()
    running: Counter[int] = Counter()
    most: list[int] = []

    class Watching(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            association = id(args[0])

            def watched() -> Any:
                assert threading.get_ident() != loop_thread
                running[association] += 1
                most.append(running[association])
                try:
                    return fn(*args, **kwargs)
                finally:
                    running[association] -= 1

            return super().submit(watched)

    with Watching(4) as executor:
        links = [Link(executor) for _ in range(20)]
        for link in links:
            link.client.start()
            for _ in range(5):
                link.server.receive(b"junk")
        for link in links:
            async with link:
                await asyncio.gather(link.server.done, link.client.done)
    assert len(most) >= 100  # each side, hello and finish, of 20 pairs, and the junk
    assert set(most) == {1}


async def test_a_busy_pool_neither_blocks_the_loop_nor_grows_the_inbox() -> None:
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait)
        async with Link(executor) as link:
            for _ in range(50):
                link.server.receive(b"junk")
            await asyncio.sleep(0.01)
            assert link.server.dropped == 50 - 16
            gate.set()
            await asyncio.sleep(0.01)
            link.client.start()
            await link.server.done


async def test_a_peer_that_is_not_the_announced_one_ends_it_with_the_reason(executor: ThreadPoolExecutor) -> None:
    async with Link(executor) as link:
        impostor = DtlsAssociation(foreign_certificate(), client=True, remote_fingerprints=fingerprints(OURS))
        link.client = Handshake(impostor, executor=executor, send=link.server.receive)
        link.client.start()
        with pytest.raises(DtlsError, match="sha-256"):
            await link.server.done


async def test_silence_ends_it_after_the_timeout(executor: ThreadPoolExecutor) -> None:
    client, _ = pair(OURS, THEIRS)
    async with Handshake(client, executor=executor, send=lambda _: None, timeout_s=0.05) as handshake:
        handshake.start()
        with pytest.raises(DtlsError, match=r"0\.05 s"):
            await handshake.done
        assert client.state is DtlsState.CLOSED


async def test_what_send_raises_comes_out_of_done(executor: ThreadPoolExecutor) -> None:
    def send(_: bytes) -> None:
        raise ConnectionError("no way out")

    client, _ = pair(OURS, THEIRS)
    async with Handshake(client, executor=executor, send=send) as handshake:
        handshake.start()
        with pytest.raises(ConnectionError, match="no way out"):
            await handshake.done


async def test_closing_waits_for_the_thread_and_ends_what_nobody_awaits() -> None:
    gate = threading.Event()
    client, server = pair(OURS, THEIRS)
    with ThreadPoolExecutor(1) as executor:
        unused = Handshake(server, executor=executor, send=lambda _: None)
        busy = Handshake(client, executor=executor, send=lambda _: None)
        executor.submit(gate.wait)
        busy.start()
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(busy.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        gate.set()
        await closing
        await unused.close()
        await unused.close()
    assert client.state is server.state is DtlsState.CLOSED
    for handshake in (busy, unused):
        with pytest.raises(DtlsError, match="closed"):
            await handshake.done


async def test_a_connected_peer_that_leaves_is_reported_once(executor: ThreadPoolExecutor) -> None:
    left: list[bool] = []
    client, server = pair(OURS, THEIRS)
    watching = Handshake(
        server, executor=executor, send=lambda data: leaving.receive(data), on_peer_closing=lambda: left.append(True)
    )
    leaving = Handshake(client, executor=executor, send=watching.receive)
    async with watching:
        async with leaving:
            leaving.start()
            await asyncio.gather(watching.done, leaving.done)
            watching.receive(b"junk")
            assert left == []
        assert left == [True]
        watching.receive(bytes([dtls_records.ALERT]) + b"\xfe\xfd\x00\x01" + bytes(8))
        assert left == [True]
