"""A worker's TCP connections: a transport lives on one as on UDP, and hostile ones cost little and hurt nobody."""

from __future__ import annotations

import gc
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from aioice import stun
from pylibsrtp import Session

from ci.support import libsrtp
from ci.support.stun import binding_answer, binding_request, is_request
from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    BindConsumer,
    CloseTransport,
    Codec,
    Command,
    ConsumerSpec,
    Encoding,
    Event,
    Kind,
    OpenTransport,
    PayloadType,
    ProducerSpec,
    Punt,
    Result,
    SendDatagram,
    SetKeys,
    SrtpProfile,
    TransportChange,
    TransportState,
)
from fanwire.fastpath.worker import Worker

T = TypeVar("T")

WAIT_S = 5
PASSWORD = "p" * 24
OPUS = PayloadType(111, Codec.OPUS, 48000)
SSRC = 1234
MOST_CONNECTIONS = 64
LEASE_S = 1
DTLS = bytes([22, 0xFE, 0xFD]) + bytes(8) + bytes([0, 40]) + bytes(40)


def key(name: str) -> bytes:
    return name.encode().ljust(28, b"k")


class Host:
    """A worker on loopback, driven as the control plane would."""

    def __init__(self) -> None:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        for sock in (udp, tcp):
            sock.bind(("127.0.0.1", 0))
        self.udp, self.tcp = udp.getsockname(), tcp.getsockname()
        self.events: list[Event] = []
        self.worker = Worker(0, [udp], [tcp], tcp_connections=MOST_CONNECTIONS, tcp_lease_us=LEASE_S * 1_000_000)
        self.worker.start()

    def count(self, name: str) -> int:
        return self.worker.counters()[name]

    def event(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is wanted, waiting for it; it is given out once."""

        def look() -> list[Event]:
            self.events += self.worker.read_events()
            return [event for event in self.events if wanted(event)]

        found = until(look)[0]
        self.events.remove(found)
        return found

    def ask(self, command: Command) -> int:
        """Carries out a command and returns the id in its result."""
        ticket = self.worker.submit(command)
        result = self.event(lambda event: isinstance(event, Result) and event.ticket == ticket)
        assert isinstance(result, Result)
        assert result.error == 0, command
        return result.id

    def open(self, name: str) -> int:
        """A transport whose ufrag and keys follow from its name."""
        transport = self.ask(
            OpenTransport(name, PASSWORD, 30_000_000, 30_000_000, 99, 1, peer_ufrag="peer", peer_pwd=PASSWORD)
        )
        self.ask(SetKeys(transport, SrtpProfile.AEAD_AES_128_GCM, key("server"), key(name)))
        return transport

    def view(self, name: str, producer: int) -> int:
        transport = self.open(name)
        spec = ConsumerSpec("0", Kind.AUDIO, (OPUS,), 77, 0, "them")
        consumer = self.ask(AddConsumer(transport, spec, 1, 1, 1))
        self.ask(BindConsumer(consumer, producer, (0,)))
        return transport

    def publish(self, name: str) -> int:
        spec = ProducerSpec("0", Kind.AUDIO, (OPUS,), encodings=(Encoding("", SSRC),))
        return self.ask(AddProducer(self.open(name), spec))


class TcpPeer:
    """One connection to a host, and the frames on it."""

    def __init__(self, host: Host) -> None:
        self.sock = socket.create_connection(host.tcp, timeout=WAIT_S)
        self._held = b""

    def send(self, *datagrams: bytes) -> None:
        self.sock.sendall(b"".join(struct.pack("!H", len(data)) + data for data in datagrams))

    def receive(self) -> bytes:
        """The next frame; EOFError where the connection ends."""
        while len(self._held) < 2 or len(self._held) < 2 + struct.unpack("!H", self._held[:2])[0]:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError
            self._held += got
        end = 2 + int(struct.unpack("!H", self._held[:2])[0])
        frame, self._held = self._held[2:end], self._held[end:]
        return frame

    def check(self, name: str) -> stun.Message:
        """Authenticates as the peer of transport `name`; returns the answer."""
        self.send(check(name))
        return stun.parse_message(self.receive())

    @property
    def is_closed(self) -> bool:
        if not self.is_readable():
            return False
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def is_readable(self, timeout_s: float = 0) -> bool:
        return bool(select.select([self.sock], [], [], timeout_s)[0])

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def host() -> Iterator[Host]:
    running = Host()
    yield running
    running.worker.stop()


@pytest.fixture
def dial(host: Host) -> Iterator[Callable[[], TcpPeer]]:
    with ExitStack() as stack:

        def connect() -> TcpPeer:
            peer = TcpPeer(host)
            stack.callback(peer.close)
            return peer

        yield connect


def until(ask: Callable[[], T | None]) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + WAIT_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.005)
    return answer


def check(name: str, password: str = PASSWORD) -> bytes:
    return binding_request(f"{name}:peer", password)


def check_over(udp: socket.socket, host: Host, name: str) -> None:
    """A check over UDP, and the answer to the validation of the path that it may begin."""
    before = host.count("stun_in")
    udp.send(check(name))
    sent = 1
    while is_request(data := udp.recv(2048)):
        udp.send(binding_answer(stun.parse_message(data), PASSWORD, host.udp))
        sent += 1
    until(lambda: host.count("stun_in") == before + sent)


def sender(name: str) -> Session:
    return libsrtp.session(SrtpProfile.AEAD_AES_128_GCM, key(name), inbound=False)


def receiver() -> Session:
    return libsrtp.session(SrtpProfile.AEAD_AES_128_GCM, key("server"), inbound=True)


def rtp(seq: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, seq, seq * 960, SSRC) + payload


def is_rtp(datagram: bytes) -> bool:
    return datagram[0] >> 6 == 2 and datagram[1] & 0x7F == 111


def test_a_transport_lives_on_a_connection(host: Host, dial: Callable[[], TcpPeer]) -> None:
    """STUN, DTLS and media, both ways."""
    producer = host.publish("alice")
    host.view("bobby", producer)
    alice, bob = dial(), dial()
    answer = alice.check("alice")
    assert answer.message_class == stun.Class.RESPONSE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == alice.sock.getsockname()
    bob.check("bobby")
    change = host.event(lambda event: isinstance(event, TransportChange) and event.path is not None)
    assert isinstance(change, TransportChange)
    assert change.state is TransportState.KEYED
    assert change.path is not None
    assert change.path.protocol == "tcp"
    assert change.path.remote == alice.sock.getsockname()
    assert change.path.local == host.tcp

    alice.send(DTLS)
    assert host.event(lambda event: isinstance(event, Punt)) == Punt(change.transport, DTLS)
    host.worker.submit(SendDatagram(change.transport, DTLS))
    assert alice.receive() == DTLS

    srtp, received = sender("alice"), receiver()
    for seq in range(1, 200):
        alice.send(srtp.protect(rtp(seq, b"%d" % seq * 50)))
    heard: list[bytes] = []
    while len(heard) < 199:
        datagram = bob.receive()
        if is_rtp(datagram):
            heard.append(received.unprotect(datagram)[12:])
    assert heard == [b"%d" % seq * 50 for seq in range(1, 200)]
    assert (host.count("tcp_accepted"), host.count("tcp_closed")) == (2, 0)


def test_a_transport_moves_from_udp_to_a_connection_and_back(host: Host, dial: Callable[[], TcpPeer]) -> None:
    transport = host.open("alice")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(WAIT_S)
        udp.connect(host.udp)
        tcp = dial()
        for _ in range(2):
            check_over(udp, host, "alice")
            host.worker.submit(SendDatagram(transport, DTLS))
            assert udp.recv(2048) == DTLS
            tcp.check("alice")
            host.worker.submit(SendDatagram(transport, DTLS))
            assert tcp.receive() == DTLS
    assert host.count("path_moves") == 3


def test_a_peer_that_reconnects_goes_on(host: Host, dial: Callable[[], TcpPeer]) -> None:
    transport = host.open("alice")
    first, second = dial(), dial()
    first.check("alice")
    first.close()
    second.check("alice")
    until(lambda: host.count("tcp_closed"))
    third = dial()  # in the place of the first one
    host.worker.submit(SendDatagram(transport, DTLS))
    assert second.receive() == DTLS
    assert not third.is_readable(0.05)


def test_strangers_are_shown_out(host: Host, dial: Callable[[], TcpPeer]) -> None:
    host.open("alice")
    wrong_password, garbage, oversize, dtls_first, reset, honest = (dial() for _ in range(6))
    wrong_password.send(check("alice", "q" * 24), check("nobody"))
    garbage.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
    oversize.sock.sendall(struct.pack("!H", 2049))
    dtls_first.send(DTLS)
    reset.sock.sendall(b"\0\x64 half a frame")
    reset.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset.close()
    until(lambda: host.count("drop_stun_integrity") and host.count("drop_stun_unknown_ufrag"))
    until(lambda: host.count("tcp_closed") == 4)
    assert garbage.is_closed
    assert oversize.is_closed
    assert dtls_first.is_closed
    assert not wrong_password.is_closed, "it may try again, as long as its time lasts"
    assert honest.check("alice").message_class == stun.Class.RESPONSE
    wrong_password.send(DTLS)
    until(lambda: wrong_password.is_closed)
    assert host.count("stun_out") == 1


def test_unused_connections_are_closed_and_thousands_are_bounded(host: Host, dial: Callable[[], TcpPeer]) -> None:
    producer = host.publish("alice")
    viewer = host.view("bobby", producer)
    alice, bob = dial(), dial()
    alice.check("alice")
    bob.check("bobby")
    with ExitStack() as stack:
        for _ in range(2000):
            peer = stack.enter_context(socket.create_connection(host.tcp, timeout=WAIT_S))
            peer.sendall(b"\0")
        until(lambda: host.count("tcp_accepted") + host.count("tcp_refused") == 2002)
        assert host.count("tcp_accepted") - host.count("tcp_closed") <= MOST_CONNECTIONS
        assert host.count("tcp_closed_evicted") > 1000
        until(lambda: host.count("tcp_accepted") - host.count("tcp_closed") == 2)
        assert host.count("tcp_closed_unused") > 0
    assert alice.check("alice").message_class == stun.Class.RESPONSE
    host.ask(CloseTransport(viewer))
    until(lambda: host.count("tcp_accepted") - host.count("tcp_closed") == 1)
    assert alice.check("alice").message_class == stun.Class.RESPONSE


def test_a_viewer_that_stops_reading_hurts_nobody(host: Host, dial: Callable[[], TcpPeer]) -> None:
    producer = host.publish("alice")
    host.view("bobby", producer)
    host.view("carol", producer)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alice,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carol,
    ):
        for name, peer in (("alice", alice), ("carol", carol)):
            peer.settimeout(WAIT_S)
            peer.connect(host.udp)
            check_over(peer, host, name)
        bob = dial()
        bob.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        bob.check("bobby")
        srtp = sender("alice")
        received = []
        for seq in range(1, 3001):
            alice.send(srtp.protect(rtp(seq, bytes(1100))))
            while not is_rtp(datagram := carol.recv(2048)):
                pass
            received.append(datagram)
        assert len(received) == 3000
        assert host.count("drop_tcp_slow_reader") > 500
        bob_seqs = []
        session = receiver()
        bob.sock.settimeout(0.5)
        try:
            while True:
                frame = bob.receive()
                if is_rtp(frame):
                    bob_seqs.append(int.from_bytes(session.unprotect(frame)[2:4]))
        except TimeoutError:
            pass
        assert bob_seqs == sorted(bob_seqs), "whole frames in order, whatever was left out"
        assert len(bob_seqs) == 3000 - host.count("drop_tcp_slow_reader")
        alice.send(srtp.protect(rtp(3001, b"again")))
        bob.sock.settimeout(WAIT_S)
        while not is_rtp(frame := bob.receive()):
            pass
        assert session.unprotect(frame)[12:] == b"again"


def open_descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_stopped_worker_leaves_no_connection_or_descriptor_behind() -> None:
    before = open_descriptors()
    running = Host()
    running.open("alice")
    used, unused = TcpPeer(running), TcpPeer(running)
    used.check("alice")
    until(partial(running.count, "tcp_accepted"))
    running.worker.stop()
    assert used.is_closed
    assert unused.is_closed
    with pytest.raises(ConnectionRefusedError):
        TcpPeer(running)
    used.close()
    unused.close()
    del running
    until(lambda: open_descriptors() == before)
