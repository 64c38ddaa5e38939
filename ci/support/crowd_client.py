"""A light WebRTC client: real HTTP, ICE, DTLS and SRTP, at minimal CPU cost."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from aioice import stun
from yarl import URL

from fanwire.control.media.keys import SrtpKeys
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation
from fanwire.control.session.handshake import Handshake
from fanwire.fastpath.testing.packet_counter import PacketCounter

from .crowd_offers import Answer
from .stun import binding_answer, binding_request, is_request

if TYPE_CHECKING:
    from fanwire.fastpath.testing.packet_counter import Tally

_CHECK_AGAIN_S = 0.3
_CHECKS = 100


Sent = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Services:
    """State shared by the clients of one crowd."""

    counter: PacketCounter
    http: aiohttp.ClientSession
    executor: Executor
    certificate: Certificate


def ignore(_: bytes) -> None:
    """Ignores sent datagrams."""


class Client:
    """One client with a socket of its own, which the counter reads.

    `index` is the socket's number in the counter. `sent` is called with every datagram that the client sends.
    """

    def __init__(self, services: Services, address: str, *, keep: bool, sent: Sent = ignore) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.bind((address, 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.address: tuple[str, int] = sock.getsockname()
        self.index = services.counter.add(sock, keep=keep)
        self.answer: Answer | None = None
        self.posted_us = self.connected_us = 0  # CLOCK_MONOTONIC
        self.connected = False
        self._sent = sent
        self._services = services
        self._sock = sock
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(16)
        self._checks: dict[bytes, None] = {}  # unanswered transactions
        self._checked = asyncio.Event()
        self._handshake: Handshake | None = None
        self._resource: URL | None = None

    @property
    def tally(self) -> Tally:
        """The tally so far."""
        return self._services.counter.tally(self.index)

    @property
    def media(self) -> int:
        """RTP packets received, plus those dropped because the socket buffer was full."""
        return self.tally["rtp"] + self.tally["overflow"]

    @property
    def join_s(self) -> float:
        """Seconds from the POST to the end of the handshake."""
        return (self.connected_us - self.posted_us) / 1e6

    @property
    def first_packet_s(self) -> float:
        """Seconds from the POST to the first RTP packet."""
        return (self.tally["first_rtp_us"] - self.posted_us) / 1e6

    @property
    def first_frame_s(self) -> float:
        """Seconds from the POST to the last packet of the first frame; negative before that."""
        return (self.tally["first_marked_us"] - self.posted_us) / 1e6

    @property
    def sock(self) -> socket.socket:
        """The socket, for readers other than the counter."""
        return self._sock

    @property
    def resource(self) -> str:
        """The URL of its session."""
        assert self._resource is not None
        return str(self._resource)

    async def join(self, url: str, offer: Callable[[str, str, str], str]) -> None:
        """POSTs an offer, made of ufrag, password and fingerprint, and connects."""
        text = offer(self._ufrag, self._pwd, self._services.certificate.fingerprint)
        self.posted_us = _now_us()
        async with self._services.http.post(url, data=text, headers={"Content-Type": "application/sdp"}) as response:
            answer = await response.text()
            assert response.status == 201, f"{response.status}: {answer}"
            self._resource = response.url.join(URL(response.headers["Location"]))
        self.answer = Answer.parse(answer)
        self._sock.connect(self.answer.address)
        association = DtlsAssociation(
            self._services.certificate, client=True, remote_fingerprints=[self.answer.fingerprint]
        )
        self._handshake = Handshake(association, executor=self._services.executor, send=self.send)
        await self._find_path()
        self._handshake.start()
        self.set_keys(await self._handshake.done)
        self.connected_us = _now_us()
        self.connected = True

    async def leave(self) -> None:
        """Ends the session with DELETE. The socket stays open and still receives."""
        self.connected = False
        if self._resource is not None:
            resource, self._resource = self._resource, None
            async with self._services.http.delete(resource) as response:
                assert response.status == 200
        if self._handshake is not None:
            await self._handshake.close()

    def send(self, datagram: bytes) -> None:
        """Sends to the server."""
        self._sent(datagram)
        self._sock.send(datagram)

    def rest(self) -> None:
        """Stops reading: the kernel drops datagrams from now on, before it allocates memory for them."""
        self._services.counter.rest(self.index)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def inject(self, datagram: bytes) -> None:
        """Sends foreign bytes from this client's address."""
        self._sock.send(datagram)

    def check(self, *, use_candidate: bool = True) -> bytes:
        """Sends a connectivity check, which renews consent too (RFC 8445 section 7.2.2, RFC 7675). Returns it."""
        assert self.answer is not None
        attributes: dict[str, object] = {"PRIORITY": 0x6E7F00FF, "ICE-CONTROLLING": 1}
        if use_candidate:
            attributes["USE-CANDIDATE"] = None
        transaction = secrets.token_bytes(12)
        datagram = binding_request(
            f"{self.answer.ufrag}:{self._ufrag}", self.answer.pwd, attributes=attributes, transaction=transaction
        )
        self._checks[transaction] = None
        self.send(datagram)
        return datagram

    def on_datagram(self, data: bytes) -> None:
        """Handles datagrams that the counter kept for Python."""
        if data[0] < 4:
            self._on_stun(data)
        elif 20 <= data[0] < 64:
            if self._handshake is not None:
                self._handshake.receive(data)
        else:
            self.on_media(data)

    def on_media(self, data: bytes) -> None:
        """Handles SRTP or SRTCP of a client that keeps its packets."""

    def set_keys(self, keys: SrtpKeys) -> None:
        """Called at the end of the DTLS handshake."""

    async def _find_path(self) -> None:
        for _ in range(_CHECKS):
            self.check()
            try:
                await asyncio.wait_for(self._checked.wait(), _CHECK_AGAIN_S)
            except TimeoutError:
                continue
            return
        raise AssertionError("the server does not answer connectivity checks")

    def _on_stun(self, data: bytes) -> None:
        assert self.answer is not None
        if is_request(data):
            request = stun.parse_message(data)
            assert request.check_message_integrity(self._pwd.encode())
            self.send(binding_answer(request, self._pwd, self.address))
            return
        message = stun.parse_message(data)
        assert message.message_class is stun.Class.RESPONSE, message
        assert message.check_message_integrity(self.answer.pwd.encode())
        assert message.transaction_id in self._checks, "the answer to a check that was not sent"
        assert message.attributes["XOR-MAPPED-ADDRESS"] == self.address
        del self._checks[message.transaction_id]
        self._checked.set()


def _now_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
