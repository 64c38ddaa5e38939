"""DTLS that goes to the control plane: each transport has a budget, and SCTP has one of its own."""

from __future__ import annotations

import pytest

from ci.support.crowd_hostile import dtls_record
from ci.support.scenario.peer import Peer
from ci.support.scenario.world import World

HANDSHAKE = dtls_record(22, epoch=1, body=bytes(40))
EMPTY = dtls_record(23, epoch=1, body=bytes(24))  # a nonce and a tag of AES-GCM, and nothing in it
SCTP = dtls_record(23, epoch=1, body=bytes(100))
TWO_OF_SCTP = SCTP + SCTP


def flood(world: World, peer: Peer, datagram: bytes, per_s: int, seconds: int) -> int:
    """The datagrams that the control plane gets, of a peer that sends so many a second."""
    before = len(world.nodes[0].punts)
    for number in range(per_s * seconds):
        world.after(number * 1_000_000 // per_s, lambda: peer.send_raw(datagram))
    world.run(seconds + 0.2)  # until the last one has arrived
    return len(world.nodes[0].punts) - before


@pytest.mark.parametrize("datagram", [HANDSHAKE, EMPTY, SCTP, EMPTY * 16])
def test_a_peer_with_keys_gets_a_few_datagrams_a_second_to_the_control_plane(datagram: bytes) -> None:
    with World() as world:
        peer, other = Peer(world), Peer(world)
        world.run(0.1)
        assert flood(world, peer, datagram, per_s=1000, seconds=10) <= 8 + 4 * 10
        assert world.drops()["drop_dtls_budget"] >= 10_000 - 48
        before = len(world.nodes[0].punts)
        other.send_raw(HANDSHAKE)
        world.run(0.1)
        assert len(world.nodes[0].punts) == before + 1, "the budget is the peer's own"


def test_a_handshake_has_room_for_its_flights_and_their_repeats() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.check(use_candidate=True)
        world.run(0.1)
        assert flood(world, peer, HANDSHAKE, per_s=50, seconds=1) == 50
        assert flood(world, peer, HANDSHAKE, per_s=1000, seconds=10) <= 64 + 32 * 11
        peer.set_keys()
        assert flood(world, peer, HANDSHAKE, per_s=4, seconds=10) == 40, "the budget after the keys is another"


def test_sctp_has_its_own_budget_in_records_and_in_bytes() -> None:
    with World() as world:
        peer = Peer(world, sctp_records_per_s=200, sctp_bytes_per_s=1_000_000)
        slow = Peer(world, sctp_records_per_s=10_000, sctp_bytes_per_s=11_300)
        world.run(0.1)
        assert flood(world, peer, SCTP, per_s=150, seconds=4) == 600
        assert flood(world, peer, TWO_OF_SCTP, per_s=1000, seconds=4) == pytest.approx(4 * 100 + 50, abs=60)
        assert flood(world, slow, SCTP, per_s=1000, seconds=4) == pytest.approx(4 * 100 + 50, abs=10)
        assert "drop_dtls_budget" not in world.drops()
        assert flood(world, peer, EMPTY, per_s=1000, seconds=4) <= 8 + 4 * 4
        assert flood(world, peer, SCTP + EMPTY, per_s=1000, seconds=4) <= 8 + 4 * 4
        assert flood(world, peer, SCTP, per_s=150, seconds=1) == 150, "what is not SCTP leaves its budget alone"


@pytest.mark.parametrize("datagram", [HANDSHAKE[:-1], HANDSHAKE + b"\x16", EMPTY * 17, b"\x16", b"\x17" * 13])
def test_datagrams_that_are_not_a_few_whole_records_go_no_further(datagram: bytes) -> None:
    with World() as world:
        peer = Peer(world)
        world.run(0.1)
        peer.send_raw(datagram)
        world.run(0.1)
        assert world.nodes[0].punts == []
        name = "drop_unknown_datagram" if len(datagram) < 2 else "drop_dtls_malformed"
        assert world.drops() == {name: 1}
