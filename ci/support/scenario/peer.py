"""One peer of a scenario: its ICE agent, its SRTP, its address, and its links to a core."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pylibsrtp
from aioice import stun

from fanwire.fastpath.messages import OpenTransport, Path, SetKeys, SrtpProfile
from fanwire.fastpath.testing import probes

from .. import libsrtp
from ..stun import binding_answer, binding_request, is_request
from .world import Link, World

SERVER = ("192.0.2.1", 7800)
CHECK_EVERY_US = 2_500_000
FIRST_CHECKS_EVERY_US = 200_000  # until one is answered
NTP_1970 = 2_208_988_800


def ntp_at(now_us: int) -> int:
    """The wall clock of every publisher, as 32.32 fixed point seconds."""
    seconds, rest = divmod(now_us, 1_000_000)
    return (NTP_1970 + seconds) << 32 | (rest << 32) // 1_000_000


class Peer:
    """Opens a transport, checks it, and sets its keys. Subclasses publish and watch."""

    def __init__(
        self,
        world: World,
        *,
        node: int = 0,
        up: Link | None = None,
        down: Link | None = None,
        profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM,
        ipv6: bool = False,
        connect: bool = True,
        consent_us: int = 30_000_000,
        connect_us: int = 30_000_000,
        sctp_records_per_s: int = 0,
        sctp_bytes_per_s: int = 0,
        publish_bps: int = 1_000_000_000,
    ) -> None:
        self.world = world
        self.node = node
        self.up = up or Link()
        self.down = down or Link()
        self.profile = profile
        number = len(world.peers) + 1
        ip = f"2001:db8::{number:x}" if ipv6 else f"198.51.{number >> 8}.{number & 255}"
        self.address = (ip, 40_000 + number % 1000)
        self.path = Path(self.address, ("2001:db8:1::1", 7800) if ipv6 else SERVER)
        world.peers[self.address] = self
        length = profile.key_bytes + profile.salt_bytes
        self.key = world.chance.randbytes(length)
        self.server_key = world.chance.randbytes(length)
        self.ufrag, self.pwd = f"ufrag{number:03}", f"password-of-peer-{number:08}"
        self.outbound = libsrtp.session(profile, self.key, inbound=False)
        self.inbound = libsrtp.session(profile, self.server_key, inbound=True)
        self.own_ufrag, self.own_pwd = f"peer{number:03}", f"own-password-of-peer-{number:08}"
        self.answers: list[tuple[Path, stun.Message]] = []
        self.requests: list[tuple[int, Path, stun.Message]] = []  # path validations received, with their times
        self.heard_on: list[Path] = []  # the path of every other datagram received
        self.proves = True  # answers path validations
        self.replays = 0
        self.alive = True  # sends checks while true
        self.nominates = True
        self.checked_us = 0  # time of its last periodic check
        self.transport = world.submit(
            OpenTransport(
                ufrag=self.ufrag,
                pwd=self.pwd,
                consent_us=consent_us,
                connect_us=connect_us,
                rtcp_ssrc=0xC0DE0000 + number,
                first_transport_cc=65_530,
                sctp_records_per_s=sctp_records_per_s,
                sctp_bytes_per_s=sctp_bytes_per_s,
                publish_bps=publish_bps,
                peer_ufrag=self.own_ufrag,
                peer_pwd=self.own_pwd,
            ),
            node,
        )
        if connect:
            self.set_keys()
            world.after(0, self._check_again)

    def set_keys(self) -> None:
        self.world.submit(SetKeys(self.transport, self.profile, local=self.server_key, remote=self.key), self.node)

    def _check_again(self) -> None:
        if not self.alive:
            return
        self.checked_us = self.world.now_us
        self.check(use_candidate=self.nominates)
        self.world.after(CHECK_EVERY_US if self.answers else FIRST_CHECKS_EVERY_US, self._check_again)

    def check(
        self,
        *,
        path: Path | None = None,
        use_candidate: bool = False,
        username: str | None = None,
        pwd: str | None = None,
        role: str = "ICE-CONTROLLING",
        kind: stun.Class = stun.Class.REQUEST,
        change: Callable[[bytes], bytes] = lambda data: data,
    ) -> None:
        """Sends a connectivity check (RFC 8445 section 7.2.2), altered by `change`."""
        attributes: dict[str, object] = {"PRIORITY": 1, role: 7}
        if use_candidate:
            attributes["USE-CANDIDATE"] = None
        request = binding_request(
            username or f"{self.ufrag}:{self.own_ufrag}",
            pwd or self.pwd,
            attributes=attributes,
            kind=kind,
            transaction=self.world.chance.randbytes(12),
        )
        self.send_raw(change(request), path)

    def send_raw(self, data: bytes, path: Path | None = None) -> None:
        """Sends bytes unchanged."""
        path = path or self.path
        if self.up.loses(data, self.world.chance):
            self.lost_up(data)
            return
        arrival_us = self.up.arrival_us(self.world.now_us, self.world.chance)
        self.world.at(arrival_us, lambda: self._arrive(path, data))

    def _arrive(self, path: Path, data: bytes) -> None:
        self.world.deliver(self.node, path, data)
        self.arrived_up(data)

    def lost_up(self, data: bytes) -> None:
        """Called for a datagram lost on the way to the core."""

    def arrived_up(self, data: bytes) -> None:
        """Called for a datagram that reached the core."""

    def send_rtp(self, packet: bytes) -> None:
        self.send_raw(self.outbound.protect(packet))

    def send_rtcp(self, compound: bytes) -> None:
        self.send_raw(self.outbound.protect_rtcp(compound))

    def carry_down(self, path: Path, data: bytes) -> None:
        """Receives a datagram from the core."""
        self.world.wiretap.see(self.server_key, self.profile, data)
        if not self.down.loses(data, self.world.chance):
            arrival_us = self.down.arrival_us(self.world.now_us, self.world.chance)
            self.world.at(arrival_us, lambda: self._receive(path, data))

    def _receive(self, path: Path, data: bytes) -> None:
        if is_request(data):
            self._prove(path, data)
            return
        self.heard_on.append(path)
        kind = probes.demux(data)
        if kind == "stun":
            status, answer = probes.stun_parse(data)
            assert status == "ok"
            assert answer is not None
            assert answer["covered"] is not None
            assert hmac.digest(self.pwd.encode(), answer["covered"], "sha1") == answer["integrity"]
            self.answers.append((path, stun.parse_message(data)))
        elif kind == "rtcp":
            packets, ok = probes.rtcp_parse(self.inbound.unprotect_rtcp(data))
            assert ok
            for packet in packets:
                self.take_rtcp(packet)
        elif kind == "rtp":
            try:
                plain = self.inbound.unprotect(data)
            except pylibsrtp.Error:
                self.replays += 1
                return
            self.take_rtp(plain)

    def _prove(self, path: Path, data: bytes) -> None:
        """Answers a validation as a full ICE agent does."""
        request = stun.parse_message(data)
        assert request.check_message_integrity(self.own_pwd.encode())
        assert request.attributes["USERNAME"] == f"{self.own_ufrag}:{self.ufrag}"
        assert "ICE-CONTROLLED" in request.attributes
        assert "USE-CANDIDATE" not in request.attributes
        self.requests.append((self.world.now_us, path, request))
        if self.proves:
            self.send_raw(binding_answer(request, self.own_pwd, path.local), path)

    def take_rtp(self, data: bytes) -> None:
        """Handles a decrypted packet."""

    def take_rtcp(self, packet: probes.Rtcp) -> None:
        """Handles one decrypted packet of a compound."""


def sdes(ssrc: int) -> bytes:
    """An SDES chunk with a CNAME, mandatory in a compound (RFC 3550 section 6.1)."""
    writer = probes.RtcpWriter()
    writer.sdes([ssrc], b"peer")
    return bytes(writer)
