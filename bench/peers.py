"""The peers of a worker: publishers that send bursts, and subscribers with one address each."""

from __future__ import annotations

import secrets
import socket
import struct
from ipaddress import IPv4Address

import pylibsrtp

from ci.support import libsrtp
from ci.support.stun import binding_request
from fanwire.fastpath.messages import OpenTransport, SetKeys, SrtpProfile

FIRST_ADDRESS = IPv4Address("127.1.0.1")  # of the subscribers
IP_PKTINFO = 8  # linux/in.h
UDP_SEGMENT = 103  # linux/udp.h
LONGEST_BURST_BYTES = 65000
HOUR_US = 3_600_000_000


class Peer:
    """A client with a plain socket (no UDP_GRO), ICE credentials and SRTP keys, preset.

    The socket is its own, or one bound to 0.0.0.0 that it shares with peers of other addresses in 127/8.
    """

    def __init__(self, address: IPv4Address, profile: SrtpProfile, shared: socket.socket | None = None) -> None:
        self.profile = profile
        self.ip = address.packed
        self.ufrag = secrets.token_hex(4)
        self.pwd = secrets.token_hex(12)
        self.ssrc = secrets.randbelow(2**32 - 1) + 1
        length = profile.key_bytes + profile.salt_bytes
        self._server_key = secrets.token_bytes(length)
        self._own_key = secrets.token_bytes(length)
        self.sock = shared or udp_socket(str(address))

    def close(self) -> None:
        self.sock.close()

    @property
    def address(self) -> tuple[bytes, int]:
        return self.ip, self.sock.getsockname()[1]

    def open_transport(self) -> OpenTransport:
        return OpenTransport(self.ufrag, self.pwd, HOUR_US, HOUR_US, rtcp_ssrc=1, first_transport_cc=0)

    def set_keys(self, transport: int) -> SetKeys:
        return SetKeys(transport, self.profile, self._server_key, self._own_key)

    def check(self, server: tuple[str, int]) -> None:
        """Sends a check, which makes the peer's address its path."""
        source = struct.pack("=I4s4s", 0, self.ip, bytes(4))
        self.sock.sendmsg([self.binding_request()], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, server)

    def binding_request(self) -> bytes:
        """A check that nominates (RFC 8445)."""
        return binding_request(f"{self.ufrag}:peer", self.pwd)

    def receive_rtp(self) -> list[bytes]:
        """Reads all waiting packets. Returns SRTP; ignores STUN and SRTCP."""
        found: list[bytes] = []
        while True:
            try:
                data = self.sock.recv(2048)
            except BlockingIOError:
                return found
            if is_rtp(data):
                found.append(data)

    def read_no_more(self) -> None:
        """Shrinks the receive buffer, so that the kernel discards packets."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def encrypter(self) -> pylibsrtp.Session:
        """SRTP of what the peer sends."""
        return libsrtp.session(self.profile, self._own_key, inbound=False)

    def decrypter(self) -> pylibsrtp.Session:
        """SRTP of what the server sends to it."""
        return libsrtp.session(self.profile, self._server_key, inbound=True)


class Publisher(Peer):
    """A peer that sends each burst in one GSO message, so that it arrives at once."""

    def __init__(self, server: tuple[str, int], profile: SrtpProfile) -> None:
        super().__init__(IPv4Address("127.0.0.1"), profile)
        self._server = server
        self._encrypter = self.encrypter()

    def protect(self, packet: bytes) -> bytes:
        """The next packet, encrypted."""
        return self._encrypter.protect(packet)

    def send(self, packets: list[bytes]) -> None:
        """Protects and sends packets of one size, together at most LONGEST_BURST_BYTES."""
        data = [self.protect(packet) for packet in packets]
        segment = struct.pack("=H", len(data[0]))
        self.sock.sendmsg([b"".join(data)], [(socket.SOL_UDP, UDP_SEGMENT, segment)], 0, self._server)


def is_rtp(data: bytes) -> bool:
    """Whether a datagram is RTP (RFC 5761 section 4, RFC 7983)."""
    return data[0] >> 6 == 2 and not 64 <= data[1] & 0x7F < 96


def udp_socket(host: str) -> socket.socket:
    """A non-blocking UDP socket on a free port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.setblocking(False)
    return sock


def subscribers(count: int, profile: SrtpProfile, shared: socket.socket | None = None) -> list[Peer]:
    """Peers on consecutive addresses of 127/8."""
    return [Peer(FIRST_ADDRESS + i, profile, shared) for i in range(count)]
