"""Hostile datagrams during a live call: the call does not notice, nobody is answered, each is counted by a name."""

from __future__ import annotations

import asyncio
import itertools
import operator
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial

import pytest

from ci.support.crowd import Crowd, warm_up
from ci.support.crowd_client import Client
from ci.support.crowd_hostile import Genuine, Hostile, dtls_record
from ci.support.crowd_peers import Publisher, Viewer
from ci.support.crowd_server import Footprint, counters
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow, pytest.mark.timeout(400)]

SEED = 20
DATAGRAMS = 200_000
BATCH = 100
WINDOW = 2_000  # datagrams on their way to the server, so that no socket's buffer overflows on a busy machine
PATIENCE_S = 60
GROWTH_BYTES = 2 << 20

RATE_BPS = 1_000_000
VIEWERS = 3
LAST_FLIGHT_REPEATS = 12  # for a peer that seems not to have got the end of its handshake
EXPECTED_DROPS = {
    *("drop_unknown_datagram", "drop_unknown_path"),
    *("drop_stun_malformed", "drop_stun_fingerprint", "drop_stun_integrity"),
    *("drop_stun_unknown_ufrag", "drop_stun_not_request"),
    *("drop_srtp_replayed", "drop_srtp_forged", "drop_srtcp_replayed", "drop_srtcp_forged", "drop_rtp_malformed"),
}


@asynccontextmanager
async def live_call(
    server: Server, room: str, genuine: Genuine
) -> AsyncIterator[tuple[Crowd, Publisher, list[Viewer]]]:
    """A publisher and viewers who check all that they get; at the end nothing may be missing."""
    async with Crowd() as crowd:
        publisher = await crowd.publish(server.whip(room), rate_bps=RATE_BPS, sent=genuine.take)
        viewers = await crowd.watch(server.whep(room), VIEWERS, checking=VIEWERS, sent=genuine.take)
        await asyncio.sleep(1.5)
        yield crowd, publisher, viewers
        await publisher.stop()
        await all_came(viewers, publisher)
        assert publisher.nacks == 0


async def all_came(viewers: list[Viewer], publisher: Publisher) -> None:
    """Waits until every viewer has the last packets that the publisher has sent."""

    async def behind() -> int:
        return sum(not viewer.has_all(publisher) for viewer in viewers)

    await until(behind, lambda count: count == 0, PATIENCE_S)


@contextmanager
def attackers(clients: list[Client]) -> Iterator[list[socket.socket]]:
    """Sockets at other addresses, each aimed at a client's worker. At the end they must have got nothing."""
    with ExitStack() as stack:
        sockets = []
        for i, client in enumerate(clients * 2):
            assert client.answer is not None
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            sock.bind((f"127.2.0.{i + 1}", 0))
            sock.connect(client.answer.address)
            sockets.append(sock)
        yield sockets
        for sock in sockets:
            with pytest.raises(BlockingIOError):
                sock.recv(1)


async def attack(
    clients: list[Client], sockets: list[socket.socket], hostile: Hostile, read: Callable[[], Awaitable[int]]
) -> None:
    """Sends DATAGRAMS, half of them with a client's address. `read` gives how many the server has read."""
    chance = random.Random(SEED)
    datagrams = itertools.islice(hostile, DATAGRAMS)
    for sent in range(0, DATAGRAMS, BATCH):
        if sent % WINDOW == 0:
            await until(read, partial(operator.le, sent - WINDOW), PATIENCE_S, every_s=0.01)
        for datagram in itertools.islice(datagrams, BATCH):
            if chance.random() < 0.5:
                chance.choice(clients).inject(datagram)
            else:
                chance.choice(sockets).send(datagram)
        await asyncio.sleep(0)


async def test_a_call_does_not_notice_hostile_datagrams(room: str) -> None:
    async with Server("--log-level=warning", "--packets-per-worker=4096", workers=2) as server:
        await warm_up(server.whip(room), server.whep(room), workers=2)
        await asyncio.sleep(0.5)
        counted_before = await counters(server.url)
        genuine = Genuine()

        async def changes() -> tuple[Counter[str], Counter[str]]:
            """What the server has counted since then, and what the clients have sent."""
            counted = await counters(server.url)
            counted.subtract(counted_before)
            return counted, genuine.counts.copy()

        async def read() -> int:
            counted, own = await changes()
            return counted["udp_packets_in"] - own.total()

        async with live_call(server, room, genuine) as (crowd, publisher, _):
            before = Footprint.of(server.pid)
            with attackers(crowd.clients) as sockets:
                await attack(crowd.clients, sockets, Hostile(genuine, SEED), read)
                await publisher.stop()
                counted, own = await until(
                    changes, lambda found: found[0]["udp_packets_in"] == DATAGRAMS + found[1].total(), PATIENCE_S
                )
            after = Footprint.of(server.pid)

    drops = Counter({name: count for name, count in counted.items() if name.startswith("drop_") and count})
    for name in ("drop_dtls_malformed", "drop_dtls_budget", "drop_punt_full"):
        del drops[name]  # is among dtls_in already
    del drops["drop_late_for_consumer"]  # counts copies for viewers
    assert drops.total() + counted["dtls_in"] - own["dtls"] == DATAGRAMS, counted
    assert drops.keys() >= EXPECTED_DROPS
    assert counted["stun_out"] == own["stun"]
    assert counted["dtls_out"] <= own["dtls"] + LAST_FLIGHT_REPEATS * len(crowd.clients)
    assert after.resident_bytes - before.resident_bytes < GROWTH_BYTES
    assert after.threads == before.threads


async def test_a_repeated_check_does_not_move_a_call(server: Server, room: str) -> None:
    """Whoever overhears a check may repeat it from elsewhere: it is answered there, and the media stay in place."""
    async with live_call(server, room, Genuine()) as (_, _, viewers):
        moves = (await counters(server.url))["path_moves"]
        overheard = [viewer.check(use_candidate=False) for viewer in viewers]
        with ExitStack() as stack:
            for i in range(10):
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sock.bind((f"127.2.1.{i + 1}", 0))
                for viewer, datagram in zip(viewers, overheard, strict=True):
                    assert viewer.answer is not None
                    sock.sendto(datagram, viewer.answer.address)
                await asyncio.sleep(0.1)
        assert (await counters(server.url))["path_moves"] == moves


class Harassed(Viewer):
    """Somebody sends garbage from its address before each of its own datagrams."""

    def send(self, datagram: bytes) -> None:
        """Sends to the server, after the garbage."""
        chance = random.Random(datagram)
        for garbage in (
            bytes([chance.randrange(20, 64)]) + chance.randbytes(chance.randrange(200)),
            datagram[: chance.randrange(len(datagram))],
            chance.randbytes(100),
            dtls_record(chance.randrange(20, 24), epoch=1, body=chance.randbytes(60)),
        ):
            self.inject(garbage)
        super().send(datagram)


async def test_viewers_join_through_garbage(server: Server, room: str) -> None:
    """Nothing here helps against who forges the plaintext of a handshake in time (RFC 6347 section 4.1.2.7)."""
    async with live_call(server, room, Genuine()) as (crowd, publisher, _):
        viewers = await crowd.watch(server.whep(room), VIEWERS, checking=VIEWERS, kind=Harassed)
        await asyncio.sleep(1)
        await publisher.stop()
        await all_came(viewers, publisher)
