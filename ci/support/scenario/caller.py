"""Both ends of the path of a core that calls, towards another core or a server made for a test."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from aioice import stun

from fanwire.fastpath.messages import (
    CheckPath,
    OpenTransport,
    Path,
    ReadStatistics,
    SetKeys,
    SrtpProfile,
    TransportStatistics,
)
from fanwire.fastpath.testing import probes

from .peer import SERVER
from .world import Link, World

CALLER = ("203.0.113.9", 50_000)
TIE_BREAKER = 1 << 63


class Caller:
    """A transport of core `node` that calls the address SERVER; `to_server` gets its datagrams."""

    def __init__(self, world: World, *, node: int = 0, consent_us: int = 30_000_000, up: Link | None = None) -> None:
        self.world, self.node, self.up = world, node, up or Link()
        self.ufrag, self.pwd = "callers-ufrag", "the-password-of-the-caller"
        self.requests: list[tuple[int, stun.Message]] = []  # the caller's STUN requests, with their times
        self.to_server: Callable[[bytes], None] = lambda data: None
        self.path = Path(SERVER, CALLER)
        self.transport = world.submit(
            OpenTransport(self.ufrag, self.pwd, consent_us, 30_000_000, rtcp_ssrc=0xCA11, first_transport_cc=0), node
        )
        world.peers[SERVER] = self

    def call(self, ufrag: str, pwd: str, *, tie_breaker: int = TIE_BREAKER) -> None:
        """Starts checks to the server with these credentials."""
        self.world.submit(CheckPath(self.transport, ufrag, pwd, SERVER, 0, tie_breaker), self.node)

    def set_keys(self, local: bytes, remote: bytes) -> None:
        self.world.submit(SetKeys(self.transport, SrtpProfile.AEAD_AES_128_GCM, local, remote), self.node)

    def carry_down(self, path: Path, data: bytes) -> None:
        """Handles a datagram from the caller's core to the server."""
        assert path.remote == SERVER
        if probes.demux(data) == "stun" and (message := stun.parse_message(data)).message_class is stun.Class.REQUEST:
            self.requests.append((self.world.now_us, message))
        if not self.up.loses(data, self.world.chance):
            self.world.at(self.up.arrival_us(self.world.now_us, self.world.chance), lambda: self.to_server(data))

    def hear(self, data: bytes, path: Path | None = None) -> None:
        """Delivers a datagram from the server to the caller."""
        self.world.deliver(self.node, path or self.path, data)

    def statistics(self) -> TransportStatistics:
        statistics = (
            self.world.nodes[self.node].sandbox.submit(ReadStatistics(self.transport), self.world.now_us).statistics
        )
        assert statistics is not None
        return statistics


class CoreServer:
    """The called transport of core `node`: links carry the two cores' datagrams."""

    def __init__(self, caller: Caller, *, node: int = 1, down: Link | None = None) -> None:
        self.world, self.node, self.caller, self.down = caller.world, node, caller, down or Link()
        self.ufrag, self.pwd = "servers-ufrag", "the-password-of-the-server"
        self.path = Path(CALLER, SERVER)
        self.transport = self.world.submit(
            OpenTransport(
                self.ufrag,
                self.pwd,
                30_000_000,
                30_000_000,
                rtcp_ssrc=0x5E12,
                first_transport_cc=0,
                peer_ufrag=caller.ufrag,
                peer_pwd=caller.pwd,
            ),
            node,
        )
        caller.to_server = lambda data: self.world.deliver(node, self.path, data)
        self.world.peers[CALLER] = self

    def carry_down(self, path: Path, data: bytes) -> None:
        """Handles a datagram from the server's core to the caller."""
        if not self.down.loses(data, self.world.chance):
            arrival_us = self.down.arrival_us(self.world.now_us, self.world.chance)
            self.world.at(arrival_us, lambda: self.caller.hear(data))


class StunServer:
    """Answers a caller's checks while `answers` is true; `change` alters each answer, `refuse` is an error code."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.ufrag, self.pwd = "servers-ufrag", "the-password-of-the-server"
        self.answers = True
        self.change: Callable[[bytes], bytes] = lambda data: data
        self.refuse: Callable[[stun.Message], int] = lambda request: 0
        caller.to_server = self._take

    def _take(self, data: bytes) -> None:
        if probes.demux(data) != "stun" or not self.answers:
            return
        status, request = probes.stun_parse(data)
        assert status == "ok"
        assert request is not None
        assert request["covered"] is not None
        assert hmac.digest(self.pwd.encode(), request["covered"], "sha1") == request["integrity"]
        message = stun.parse_message(data)
        code = self.refuse(message)
        kind = stun.Class.ERROR if code else stun.Class.RESPONSE
        answer = stun.Message(stun.Method.BINDING, kind, message.transaction_id)
        if code:
            answer.attributes["ERROR-CODE"] = (code, "no")
        else:
            answer.attributes["XOR-MAPPED-ADDRESS"] = CALLER
        answer.add_message_integrity(self.pwd.encode())
        answer.add_fingerprint()
        self.caller.hear(self.change(bytes(answer)))
