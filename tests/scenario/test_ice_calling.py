"""A core that calls a server: its checks, what it believes of the answers, and how long it lives without any."""

from __future__ import annotations

import itertools

import pytest
from aioice import stun

from ci.support.scenario.caller import CALLER, TIE_BREAKER, Caller, CoreServer, StunServer
from ci.support.scenario.peer import SERVER
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import VP8, consumer, formats, producer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    BindConsumer,
    CheckPath,
    CloseReason,
    Encoding,
    Extension,
    Path,
    ReadStatistics,
    SetKeys,
    SrtpProfile,
    TransportState,
)

HALF_SECOND_US = 500_000


def losing_first(count: int) -> Link:
    """A link that loses its first datagrams."""
    left = [count]

    def drops(_: bytes) -> bool:
        left[0] -= 1
        return left[0] >= 0

    return Link(drops=drops)


def connected(world: World) -> tuple[Caller, StunServer]:
    caller = Caller(world)
    server = StunServer(caller)
    caller.call(server.ufrag, server.pwd)
    world.run(0.1)
    assert world.nodes[0].changes[-1].path == Path(SERVER, CALLER)
    return caller, server


def test_a_check_says_who_asks_and_nominates() -> None:
    with World() as world:
        caller, _server = connected(world)
        ((_, request),) = caller.requests
        assert request.attributes["USERNAME"] == "servers-ufrag:callers-ufrag"
        assert request.attributes["ICE-CONTROLLING"] == TIE_BREAKER
        assert "USE-CANDIDATE" in request.attributes
        assert "PRIORITY" in request.attributes
        assert world.nodes[0].changes[-1].state is TransportState.CHECKED


def test_a_lost_check_is_repeated_with_doubled_waits() -> None:
    with World() as world:
        caller = Caller(world, up=losing_first(3))
        server = StunServer(caller)
        caller.call(server.ufrag, server.pwd)
        world.run(10)
        start_us = caller.requests[0][0]
        waits = [at - start_us for at, _ in caller.requests]
        assert waits[:4] == [0, HALF_SECOND_US, 3 * HALF_SECOND_US, 7 * HALF_SECOND_US]
        assert len({request.transaction_id for _, request in caller.requests[:4]}) == 1
        assert world.nodes[0].changes[-1].path == Path(SERVER, CALLER)


def test_a_server_that_never_answers_is_given_up() -> None:
    with World() as world:
        caller = Caller(world)
        caller.call("servers-ufrag", "the-password-of-the-server")
        world.run(31)
        assert world.nodes[0].changes[-1].reason is CloseReason.NEVER_CONNECTED
        assert len(caller.requests) == 6
        world.run(60)
        assert len(caller.requests) == 6


def test_answers_that_are_forged_or_unasked_for_are_counted_and_believed_never() -> None:
    with World() as world:
        caller = Caller(world)
        server = StunServer(caller)
        heard: list[bytes] = []

        def resigned(data: bytes) -> bytes:
            heard.append(data)
            message = stun.parse_message(data)
            del message.attributes["MESSAGE-INTEGRITY"], message.attributes["FINGERPRINT"]
            message.add_message_integrity(b"not-the-password-of-the-server")
            message.add_fingerprint()
            return bytes(message)

        server.change = resigned
        caller.call(server.ufrag, server.pwd)
        world.run(1)
        assert world.drops() == {"drop_stun_integrity": 2}
        caller.hear(heard[-1], Path(("192.0.2.66", 7800), CALLER))  # right, but from elsewhere
        unasked = heard[-1][:8] + bytes(12) + heard[-1][20:-8]
        caller.hear(unasked + b"\x80\x28\x00\x04" + stun.message_fingerprint(unasked).to_bytes(4, "big"))
        world.run(0.1)
        assert world.drops()["drop_stun_unmatched"] == 2
        assert [change.path for change in world.nodes[0].changes] == []
        caller.hear(heard[-1])
        world.run(0.1)
        assert world.nodes[0].changes[-1].path == Path(SERVER, CALLER)
        caller.hear(heard[-1])  # once is enough
        world.run(0.1)
        assert world.drops()["drop_stun_unmatched"] == 3


def test_nobody_but_the_control_plane_makes_a_transport_ask() -> None:
    with World() as world:
        caller = Caller(world)
        server = StunServer(caller)
        for kind in (stun.Class.RESPONSE, stun.Class.ERROR):
            answer = stun.Message(stun.Method.BINDING, kind, bytes(12))
            answer.add_message_integrity(server.pwd.encode())
            answer.add_fingerprint()
            caller.hear(bytes(answer))
        world.run(5)
        assert caller.requests == []
        assert world.drops() == {"drop_stun_unmatched": 2}


def test_a_refused_role_is_given_up_for_the_other() -> None:
    with World() as world:
        caller = Caller(world)
        server = StunServer(caller)
        server.refuse = lambda request: 487 if "ICE-CONTROLLING" in request.attributes else 0
        caller.call(server.ufrag, server.pwd)
        world.run(0.5)
        roles = [next(name for name in request.attributes if name.startswith("ICE-")) for _, request in caller.requests]
        assert roles == ["ICE-CONTROLLING", "ICE-CONTROLLED"]
        assert "USE-CANDIDATE" not in caller.requests[1][1].attributes
        assert world.counters()["role_conflicts"] == 1
        assert world.nodes[0].changes[-1].path == Path(SERVER, CALLER)


def test_a_server_that_refuses_every_role_is_not_flooded() -> None:
    with World() as world:
        caller = Caller(world)
        server = StunServer(caller)
        server.refuse = lambda request: 487
        caller.call(server.ufrag, server.pwd)
        world.run(10)
        assert len(caller.requests) < 300


@pytest.mark.parametrize(("ours", "theirs"), [(5, 9), (9, 5), (7, 7)])
def test_two_cores_that_call_each_other_agree_on_who_nominates(ours: int, theirs: int) -> None:
    with World(nodes=2) as world:
        caller = Caller(world)
        server = CoreServer(caller)
        caller.call(server.ufrag, server.pwd, tie_breaker=ours)
        world.submit(CheckPath(server.transport, caller.ufrag, caller.pwd, CALLER, 0, theirs), server.node)
        world.run(3)
        for node, path in ((0, caller.path), (1, server.path)):
            assert world.nodes[node].changes[-1].path == path
        assert world.counters(0)["role_conflicts"] + world.counters(1)["role_conflicts"] >= 1
        caller.set_keys(bytes(28), bytes(range(28)))
        world.submit(SetKeys(server.transport, SrtpProfile.AEAD_AES_128_GCM, bytes(range(28)), bytes(28)), server.node)
        world.run(60)  # and consent goes on both ways
        assert [node.changes[-1].state for node in world.nodes] == [TransportState.KEYED] * 2


def test_consent_is_asked_for_every_five_seconds_or_so() -> None:
    with World() as world:
        caller, _server = connected(world)
        caller.set_keys(bytes(28), bytes(range(28)))
        world.run(120)
        times = [at for at, _ in caller.requests]
        gaps = {after - before for before, after in itertools.pairwise(times)}
        assert all(4_000_000 <= gap <= 6_000_000 for gap in gaps)
        assert len(gaps) > 10  # as random as they should be
        assert len({request.transaction_id for _, request in caller.requests}) == len(times)
        assert world.nodes[0].changes[-1].state is TransportState.KEYED


def test_a_server_that_no_longer_answers_loses_the_caller() -> None:
    with World() as world:
        caller, server = connected(world)
        caller.set_keys(bytes(28), bytes(range(28)))
        world.run(60)
        assert world.nodes[0].changes[-1].state is TransportState.KEYED
        server.answers = False
        world.run(36)
        assert world.nodes[0].changes[-1].reason is CloseReason.CONSENT_LOST


def test_a_call_may_be_directed_to_another_address() -> None:
    with World() as world:
        caller = Caller(world)
        server = StunServer(caller)
        elsewhere = ("192.0.2.77", 9)
        world.submit(CheckPath(caller.transport, server.ufrag, server.pwd, elsewhere, 0, 1))
        world.run(1)
        assert {path.remote for path, _ in world.unrouted} == {elsewhere}
        caller.call(server.ufrag, server.pwd)
        world.run(0.1)
        assert world.nodes[0].changes[-1].path == Path(SERVER, CALLER)
        unrouted = len(world.unrouted)
        world.run(20)
        assert len(world.unrouted) == unrouted


def test_credentials_out_of_range_are_refused() -> None:
    with World() as world:
        caller = Caller(world)
        for ufrag, pwd in (("abc", "x" * 22), ("abcd", "x" * 21)):
            assert world.error(CheckPath(caller.transport, ufrag, pwd, SERVER, 0, 1)) == 4
        world.run(1)
        assert caller.requests == []


def test_a_caller_watches_over_a_lossy_path_and_misses_nothing() -> None:
    with World(nodes=2) as world:
        caller = Caller(world, up=Link(delay_us=20_000, loss=0.02))
        server = CoreServer(caller, down=Link(delay_us=20_000, loss=0.05))
        publisher = Publisher(world, node=1)
        extensions = {Extension.MID: 4, Extension.TRANSPORT_CC: 3, Extension.ABS_CAPTURE_TIME: 6}
        spec = producer(VP8, encodings=[Encoding(ssrc=7, rtx_ssrc=8)], extensions=extensions)
        video = publisher.publish(spec)
        sink = consumer(VP8, ssrc=100, rtx_ssrc=101, extensions=extensions)
        world.run(0.1)
        source = publisher.source(spec, ssrc=7, rtx_ssrc=8).start()

        seen = producer(*sink.payload_types, mid=sink.mid, encodings=[Encoding(ssrc=100, rtx_ssrc=101)])
        world.submit(AddProducer(caller.transport, seen), caller.node)
        down = world.submit(AddConsumer(server.transport, sink, 100, 100, 5), server.node)
        world.submit(BindConsumer(down, video, formats(spec, sink)), server.node)
        caller.call(server.ufrag, server.pwd)
        keys = bytes(range(28)), bytes(range(100, 128))
        caller.set_keys(*keys)
        world.submit(SetKeys(server.transport, SrtpProfile.AEAD_AES_128_GCM, keys[1], keys[0]), server.node)
        world.run(20)
        source.stop()
        world.run(1)
        (stream,) = caller.statistics().streams
        assert stream.packets > 1000
        assert stream.repaired_packets > 30
        assert stream.lost == stream.recovered_packets > 30
        assert stream.frames > 480
        assert stream.freezes == 0
        assert stream.nacks > 0
        assert world.counters(0)["twcc_out"] > 50
        statistics = world.nodes[1].sandbox.submit(ReadStatistics(server.transport), world.now_us).statistics
        assert statistics is not None
        (sent,) = statistics.streams
        assert sent.nacks > 30
        assert sent.rtt_us > 0
