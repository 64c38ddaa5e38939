"""Path trust: media goes only where the peer proved that it receives; a new path is validated first (RFC 9000 9.3)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from aioice import stun

from ci.support.crowd_hostile import dtls_record
from ci.support.scenario.peer import Peer
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Viewer
from ci.support.scenario.world import World
from ci.support.stun import is_request
from fanwire.fastpath.messages import (
    CloseReason,
    Encoding,
    Path,
    Punt,
    SendDatagram,
    SetKeys,
    TransportState,
)
from fanwire.fastpath.testing import probes

HOME = ("192.0.2.1", 7800)
ELSEWHERE = Path(("203.0.113.66", 666), HOME)
SSRC = 100
CLIENT_HELLO_BYTES = 150


def broadcast(world: World) -> tuple[Source, Viewer]:
    """A publisher that sends, and a viewer that watches."""
    spec = producer(VP8, encodings=[Encoding(ssrc=7, rtx_ssrc=8)])
    publisher, viewer = Publisher(world), Viewer(world)
    video = publisher.publish(spec)
    viewer.watch(consumer(VP8, ssrc=SSRC), video, spec)
    world.run(0.5)
    source = publisher.source(spec, ssrc=7, rtx_ssrc=8).start()
    world.run(2)
    assert viewer.streams[SSRC].packets
    return source, viewer


def sent_to(world: World, path: Path) -> list[bytes]:
    """The datagrams that went to an address where nobody is."""
    return [data for sent, data in world.unrouted if sent.remote == path.remote]


def paths_of(world: World, peer: Peer) -> set[Path | None]:
    return {change.path for change in world.nodes[0].changes if change.transport == peer.transport}


def only_stun(datagrams: list[bytes]) -> bool:
    return all(probes.demux(data) == "stun" for data in datagrams)


@dataclass
class Shared:
    """An address at which several transports' datagrams arrive; it answers none of them."""

    received: list[bytes] = field(default_factory=list)

    def carry_down(self, path: Path, data: bytes) -> None:
        self.received.append(data)


def client_hello(random: int) -> bytes:
    """The first fragment of a ClientHello, as far as its random matters."""
    body = b"\xfe\xfd" + random.to_bytes(32, "big") + bytes(CLIENT_HELLO_BYTES - 59)
    message = b"\x01" + len(body).to_bytes(3, "big") + b"\0\0" + bytes(3) + len(body).to_bytes(3, "big") + body
    return dtls_record(22, epoch=0, body=message)


def test_a_check_with_a_foreign_source_brings_the_stranger_nothing_but_stun() -> None:
    with World() as world:
        _source, viewer = broadcast(world)
        world.unrouted.clear()
        viewer.check(path=ELSEWHERE, use_candidate=True)
        world.run(5)
        stranger = sent_to(world, ELSEWHERE)
        assert only_stun(stranger)
        assert sum(map(is_request, stranger)) == 20
        assert len(stranger) == 21
        assert world.nodes[0].changes[-1].path != ELSEWHERE
        times = sorted(viewer.streams[SSRC].arrivals_us.values())
        assert max(after - before for before, after in itertools.pairwise(times)) <= 40_000
        assert world.counters()["path_validations_failed"] == 1


def test_validation_requests_come_every_50_ms_for_a_second_and_cannot_be_foreseen() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.proves = False
        peer.set_keys()
        seen: list[bytes] = []
        for _ in range(2):
            peer.check()
            world.run(3)
            times = [at for at, _, _ in peer.requests]
            assert [after - before for before, after in itertools.pairwise(times)] == [50_000] * 19
            transactions = {request.transaction_id for _, _, request in peer.requests}
            assert len(transactions) == 1
            seen += transactions
            peer.requests.clear()
        assert seen[0] != seen[1]


def test_a_first_path_gets_no_media_until_it_is_proven() -> None:
    with World() as world:
        newcomer = Viewer(world, connect=False)
        spec = producer(VP8, encodings=[Encoding(ssrc=7, rtx_ssrc=8)])
        newcomer.proves = False
        newcomer.set_keys()
        publisher = Publisher(world)
        video = publisher.publish(spec)
        newcomer.watch(consumer(VP8, ssrc=SSRC), video, spec)
        world.run(0.5)
        publisher.source(spec, ssrc=7, rtx_ssrc=8).start()
        for _ in range(4):
            newcomer.check(use_candidate=True)
            world.run(2)
        assert not newcomer.streams[SSRC].packets
        assert len(newcomer.heard_on) == 4, "the answers to its checks"
        newcomer.proves = True
        newcomer.check(use_candidate=True)
        world.run(1)
        assert newcomer.streams[SSRC].packets


@pytest.mark.parametrize("what", ["srtp", "srtcp"])
def test_media_from_the_new_path_ends_its_probation(what: str) -> None:
    """So ICE-lite peers, which answer no check, can move too."""
    with World() as world:
        source, viewer = broadcast(world)
        peer = viewer if what == "srtcp" else source.publisher
        peer.proves = False
        old, peer.path = peer.path, ELSEWHERE
        world.peers[ELSEWHERE.remote] = peer
        peer.alive = False
        peer.check(use_candidate=True)
        world.run(0.005)
        if what == "srtcp":
            peer.path = old
            world.run(0.5)
            assert paths_of(world, peer) == {None, old}
            peer.path = ELSEWHERE
            viewer.report(SSRC)
        world.run(0.5)
        assert world.nodes[0].changes[-1].path == ELSEWHERE
        assert world.counters()["path_moves"] == 1


def test_a_forged_or_misplaced_answer_proves_nothing() -> None:
    with World() as world:
        peer = Peer(world)
        world.run(1)
        peer.proves = False
        world.peers[ELSEWHERE.remote] = peer
        peer.check(path=ELSEWHERE, use_candidate=True)
        world.run(0.1)
        request = peer.requests[-1][2]
        unsigned = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        unsigned.add_fingerprint()
        peer.send_raw(bytes(unsigned), ELSEWHERE)
        for pwd, path in ((peer.pwd, ELSEWHERE), (peer.own_pwd, peer.path)):
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
            answer.add_message_integrity(pwd.encode())
            peer.send_raw(bytes(answer), path)
        world.run(0.1)
        assert world.drops() == {"drop_stun_integrity": 2, "drop_stun_unmatched": 1}
        assert world.counters()["path_moves"] == 0
        error = stun.Message(stun.Method.BINDING, stun.Class.ERROR, request.transaction_id, {"ERROR-CODE": (487, "")})
        error.add_message_integrity(peer.own_pwd.encode())
        peer.send_raw(bytes(error), ELSEWHERE)
        world.run(0.1)
        assert world.nodes[0].changes[-1].path == ELSEWHERE, "a signed error was received there as well"


def test_an_old_check_that_is_replayed_changes_nothing() -> None:
    overheard: list[bytes] = []

    def listen(data: bytes) -> bytes:
        overheard.append(data)
        return data

    with World() as world:
        peer = Peer(world)
        peer.check(use_candidate=True, change=listen)
        world.run(1800)
        assert world.counters()["stun_in"] > 700
        validations = world.counters()["path_validations"]
        peer.send_raw(overheard[0], ELSEWHERE)
        world.run(1)
        assert world.counters()["path_validations"] == validations
        assert [is_request(data) for data in sent_to(world, ELSEWHERE)] == [False], "it is answered"
        peer.alive = False

        def replay() -> bool:
            peer.send_raw(overheard[0])
            return True

        world.every(1_000_000, replay)
        world.run(31)
        assert world.nodes[0].changes[-1].reason is CloseReason.CONSENT_LOST, "and is no sign of life"


def test_a_roaming_viewer_sees_no_pause_of_half_a_second() -> None:
    with World() as world:
        _source, viewer = broadcast(world)
        for number in range(4):
            world.run(3)
            old = viewer.path
            viewer.path = Path((f"203.0.113.{number}", 60_000), HOME)
            world.peers[viewer.path.remote] = viewer
            viewer.check(use_candidate=True)
            world.run(0.04)
            del world.peers[old.remote]
            world.unrouted.clear()
        world.run(1)
        assert world.counters()["path_moves"] == 4
        times = sorted(viewer.streams[SSRC].arrivals_us.values())
        assert max(after - before for before, after in itertools.pairwise(times)) < 100_000


def test_dtls_to_an_unproven_path_is_at_most_three_times_what_came_from_it() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.proves = False
        peer.check(use_candidate=True)
        world.run(0.1)
        check_bytes = 120
        flight = SendDatagram(peer.transport, b"\x16\xfe\xfd" + bytes(97))
        assert world.error(flight) != 0, "there is no path before DTLS has come, or validation has failed"
        hello = client_hello(1)
        peer.send_raw(hello)
        world.run(0.1)
        assert world.nodes[0].punts == [Punt(peer.transport, hello)]
        assert world.nodes[0].changes[-1].state is TransportState.CHECKED
        sent = sum(100 for _ in range(50) if world.error(flight) == 0)
        assert 3 * len(hello) <= sent <= 3 * (len(hello) + check_bytes)
        assert world.counters()["drop_unproven_path"] > 40
        peer.set_keys()
        world.submit(flight)


def test_a_peer_that_answers_nothing_gets_a_path_for_our_handshake_after_a_second() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.proves = False
        peer.check(use_candidate=True)
        world.run(0.9)
        assert world.nodes[0].changes == []
        world.run(0.2)
        assert world.nodes[0].changes[-1].path == peer.path
        world.submit(SendDatagram(peer.transport, b"\x16\xfe\xfd" + bytes(97)))


def test_a_client_that_comes_back_to_its_port_takes_its_path_over() -> None:
    """RFC 6347 section 4.2.8: SRTP stays with the old session, the handshake goes to the new one, and then the path."""
    with World() as world:
        source, viewer = broadcast(world)
        old = source.publisher
        old.send_raw(client_hello(1))
        again = Peer(world, connect=False)
        again.path = old.path
        old.alive = False
        world.run(0.1)
        shared = world.peers[old.path.remote] = Shared()
        again.check(use_candidate=True)
        again.send_raw(client_hello(2))
        old.send_raw(client_hello(1))
        world.run(0.1)
        again.send_raw(dtls_record(20, epoch=0, body=b"\1"))
        old.send_raw(dtls_record(23, epoch=1, body=bytes(20)))
        before = len(viewer.streams[SSRC].packets)
        world.run(1)
        to = {old.transport: "old", again.transport: "again"}
        assert [to[punt.transport] for punt in world.nodes[0].punts] == ["old", "again", "old", "again", "old"]
        assert len(viewer.streams[SSRC].packets) > before + 50, "SRTP stays with the old session"
        source.stop()
        world.run(0.1)
        shared.received.clear()
        again.set_keys()
        world.run(0.5)
        last = {change.transport: change for change in world.nodes[0].changes}
        assert (last[old.transport].state, last[old.transport].reason) == (TransportState.CLOSED, CloseReason.REPLACED)
        assert last[again.transport].state is TransportState.KEYED
        assert last[again.transport].path == again.path
        again.send_rtcp(bytes(receiver_report()))
        world.run(0.1)
        assert "drop_srtcp_forged" not in world.drops()
        world.run(20)
        assert shared.received == [], "the old session says no goodbye there"


def receiver_report() -> probes.RtcpWriter:
    writer = probes.RtcpWriter()
    writer.rr(1, [])
    return writer


def test_a_participant_that_claims_the_path_of_another_gets_nothing_of_it() -> None:
    """Its spoofed check and ClientHello cost the victim no media, and go when their session goes."""
    with World() as world:
        source, viewer = broadcast(world)
        victim = source.publisher
        thief = Peer(world, connect=False, connect_us=5_000_000)
        world.peers[victim.path.remote] = Shared()
        for number in range(3):
            thief.check(path=victim.path, use_candidate=True)
            thief.send_raw(client_hello(number), victim.path)
        world.run(4)
        assert not world.error(SendDatagram(thief.transport, b"\x16\xfe\xfd" + bytes(97)))
        before = len(viewer.streams[SSRC].packets)
        world.run(4)
        assert len(viewer.streams[SSRC].packets) > before + 250
        last = {change.transport: change for change in world.nodes[0].changes}
        assert last[victim.transport].path == victim.path
        assert last[thief.transport].reason is CloseReason.NEVER_CONNECTED
        victim.send_raw(dtls_record(22, epoch=0, body=bytes(20)))
        world.run(0.1)
        assert world.nodes[0].punts[-1].transport == victim.transport
        assert "drop_srtp_forged" not in world.drops()


def test_a_connected_transport_gets_the_silent_path_of_another() -> None:
    """A NAT gives a port that it took from a dead client to a live one."""
    with World() as world:
        dead, mover = Peer(world), Peer(world)
        world.run(1)
        dead.alive = False
        world.run(9)
        mover.path = dead.path
        world.peers[dead.path.remote] = mover
        mover.check(use_candidate=True)
        world.run(0.2)
        assert world.nodes[0].changes[-1].path == dead.path
        assert world.nodes[0].changes[-1].transport == mover.transport


def test_keys_of_a_transport_without_a_path_prove_nothing() -> None:
    with World() as world:
        peer = Peer(world, connect=False)
        peer.proves = False
        world.submit(SetKeys(peer.transport, peer.profile, local=peer.server_key, remote=peer.key))
        peer.check(use_candidate=True)
        world.run(5)
        assert len(peer.requests) == 20
        assert len(peer.heard_on) == 1
