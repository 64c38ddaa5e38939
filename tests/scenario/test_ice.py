"""Connectivity checks: which are answered, which choose the path, and when a transport is given up."""

from __future__ import annotations

import pytest
from aioice import stun

from ci.support.crowd_hostile import dtls_record
from ci.support.scenario.peer import Peer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import (
    CloseReason,
    CloseTransport,
    Path,
    Punt,
    RestartIce,
    SendDatagram,
    SetConsent,
    TransportState,
)

HOME = ("192.0.2.1", 7800)


def paths(world: World) -> list[Path | None]:
    return [change.path for change in world.nodes[0].changes]


def without_fingerprint(data: bytes) -> bytes:
    return data[:2] + (len(data) - 28).to_bytes(2, "big") + data[4:-8]


def with_unknown_attribute(peer: Peer) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, bytes(12), {"USERNAME": f"{peer.ufrag}:x"})
    plain = bytes(message) + b"\x7f\xf1\x00\x00"
    plain = plain[:2] + (len(plain) - 20).to_bytes(2, "big") + plain[4:]
    integrity = stun.message_integrity(plain, peer.pwd.encode())
    signed = plain[:2] + (len(plain) + 4).to_bytes(2, "big") + plain[4:] + b"\x00\x08\x00\x14" + integrity
    signed = signed[:2] + (len(signed) - 12).to_bytes(2, "big") + signed[4:]
    return signed + b"\x80\x28\x00\x04" + stun.message_fingerprint(signed).to_bytes(4, "big")


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_check_is_answered_with_the_address_that_it_came_from(ipv6: bool) -> None:
    with World() as world:
        peer = Peer(world, ipv6=ipv6)
        world.run(0.1)
        ((path, answer),) = peer.answers
        assert path == peer.path
        assert answer.message_class == stun.Class.RESPONSE
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == peer.address
        assert [change.state for change in world.nodes[0].changes] == [TransportState.KEYED] * 2
        assert world.nodes[0].changes[-1].path == peer.path


def test_what_is_wrong_with_a_check_is_counted_and_never_answered() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.check(pwd="not-the-password-of-anyone")
        peer.check(username="nobody:peer")
        peer.check(username=peer.ufrag)
        peer.check(change=without_fingerprint)
        peer.check(change=lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        peer.check(change=lambda data: data[:-3])
        peer.check(kind=stun.Class.INDICATION)
        world.run(1)
        assert peer.heard_on == []
        assert world.unrouted == []
        assert paths(world) == []
        counters = world.counters()
        assert counters["drop_stun_integrity"] == 1
        assert counters["drop_stun_unknown_ufrag"] == 2
        assert counters["drop_stun_fingerprint"] == 2
        assert counters["drop_stun_malformed"] == 1
        assert counters["drop_stun_not_request"] == 1
        assert counters["stun_out"] == 0


def test_errors_of_protocol_are_told_and_choose_no_path() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.check(role="ICE-CONTROLLED")
        peer.send_raw(with_unknown_attribute(peer))
        world.run(1)
        assert [message.error_code for _, message in peer.answers] == [487, 420]
        assert paths(world) == []


def test_the_first_authenticated_address_serves_until_another_is_nominated() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.set_keys()
        first, second = Path(("198.51.0.9", 1000), HOME), Path(peer.address, HOME)
        world.peers[first.remote] = peer
        for _ in range(5):
            peer.check(path=first)
            peer.check(path=second)
            world.run(2)
        assert {path for path in paths(world) if path} == {first}
        peer.check(path=second, use_candidate=True)
        world.run(1)
        assert paths(world)[-1] == second
        for _ in range(5):
            peer.check(path=first)
            peer.check(path=second)
            world.run(2)
        assert paths(world)[-1] == second
        assert world.counters()["path_moves"] == 1
        assert {path for path, _ in peer.answers} == {first, second}


def test_a_path_silent_for_8_s_gives_way_to_a_check_from_elsewhere() -> None:
    """So a viewer whose address changed under way goes on, though no agent nominates anew."""
    with World() as world:
        peer = Peer(world)
        world.run(1)
        old, new = peer.path, Path(("203.0.113.5", 60_000), HOME)
        world.peers[new.remote] = peer
        peer.path, peer.nominates = new, False
        peer.alive = True
        world.run(7)
        assert paths(world)[-1] == old
        world.run(4)
        assert paths(world)[-1] == new
        world.run(20)
        assert world.counters()["path_moves"] == 1


def test_a_check_that_was_overheard_does_not_move_the_path() -> None:
    overheard: list[bytes] = []

    def listen(data: bytes) -> bytes:
        overheard.append(data)
        return data

    with World() as world:
        peer = Peer(world)
        peer.check(use_candidate=True, change=listen)
        world.run(1)
        peer.send_raw(overheard[0], Path(("203.0.113.66", 666), HOME))
        world.run(1)
        assert paths(world)[-1] == peer.path
        assert world.counters()["path_moves"] == 0


def test_an_address_in_use_is_not_given_to_another_transport() -> None:
    with World() as world:
        victim, thief = Peer(world), Peer(world)
        world.run(1)
        world.peers[victim.address] = thief  # reads the answer to its own check
        thief.check(path=victim.path, use_candidate=True)
        world.run(0.1)
        last = {change.transport: change.path for change in world.nodes[0].changes}
        assert last == {victim.transport: victim.path, thief.transport: thief.path}


def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    with World() as world:
        peer = Peer(world)
        world.run(1)
        other = Path(peer.address, ("192.0.2.77", 7801))
        peer.check(path=other)
        world.run(1)
        assert peer.heard_on[-1] == other
        assert paths(world)[-1] == peer.path


def test_after_a_restart_old_credentials_serve_until_the_new_ones_are_used() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        old = (peer.ufrag, peer.pwd)
        world.submit(RestartIce(peer.transport, "brandnew", "p" * 24))
        peer.check()
        world.run(0.1)
        peer.ufrag, peer.pwd = "brandnew", "p" * 24
        peer.check()
        world.run(0.1)
        assert len(peer.answers) == 2
        peer.ufrag, peer.pwd = old
        peer.check()
        world.run(0.1)
        assert len(peer.answers) == 2
        assert world.drops() == {"drop_stun_unknown_ufrag": 1}


def test_a_transport_without_consent_for_30_s_closes_and_tells_it_once() -> None:
    with World() as world:
        peer = Peer(world)
        world.run(20)
        peer.alive = False
        del world.nodes[0].changes[:]
        lost_us = peer.checked_us + peer.up.delay_us + 30_000_000
        world.run((lost_us - world.now_us) / 1e6 - 0.001)
        assert world.nodes[0].changes == []
        world.run(60)
        (change,) = world.nodes[0].changes
        assert (change.state, change.reason) == (TransportState.CLOSED, CloseReason.CONSENT_LOST)
        assert world.counters()["consent_lost"] == 1
        # It is remembered until the control plane lets go of it, and stale from then on.
        world.submit(CloseTransport(peer.transport))
        assert world.error(CloseTransport(peer.transport)) == 1
        world.run(1)
        assert len(world.nodes[0].changes) == 1


def test_a_transport_that_never_connects_closes_after_30_s() -> None:
    with World() as world:
        Peer(world, connect=False)
        checked = Peer(world, connect=False)

        def check() -> bool:
            checked.check()
            return True

        world.every(2_500_000, check)
        world.run(29.9)
        assert all(change.state is TransportState.CHECKED for change in world.nodes[0].changes)
        world.run(0.2)
        closed = [change for change in world.nodes[0].changes if change.state is TransportState.CLOSED]
        assert [change.reason for change in closed] == [CloseReason.NEVER_CONNECTED] * 2


def test_consent_can_be_shortened() -> None:
    with World() as world:
        peer = Peer(world)
        world.run(1)
        peer.alive = False
        world.submit(SetConsent(peer.transport, 8_000_000))
        world.run(8)
        assert world.nodes[0].changes[-1].reason is CloseReason.CONSENT_LOST


def test_dtls_passes_both_ways_over_the_path_and_from_nowhere_else() -> None:
    with World() as world:
        peer = Peer(world)
        world.run(0.1)
        hello = dtls_record(22, epoch=0, body=b"hello")
        peer.send_raw(hello)
        peer.send_raw(dtls_record(22, epoch=0, body=b"forged"), Path(("203.0.113.9", 9), HOME))
        peer.send_raw(b"\xff noise")
        world.submit(SendDatagram(peer.transport, b"\x16\xfe\xfd answer"))
        world.run(0.1)
        assert world.nodes[0].punts == [Punt(peer.transport, hello)]
        assert world.drops() == {"drop_unknown_path": 1, "drop_unknown_datagram": 1}
        assert peer.heard_on == [peer.path] * 2
