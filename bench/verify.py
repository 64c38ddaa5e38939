"""A pass with subscribers that read: counts all packets, decrypts and compares one in a hundred."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import pylibsrtp

from .media import HEADER_BYTES
from .peers import Peer
from .scene import Scene, SceneSpec, open_scene

COMPARE_EACH = 100
RECEIVE_BUFFER_BYTES = 4 << 20


class Mismatch(AssertionError):
    """A subscriber received a packet that differs from the published one."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Counts of the pass."""

    packets_expected: int
    packets_received: int
    packets_compared: int

    @property
    def incomplete(self) -> bool:
        return self.packets_received != self.packets_expected


@dataclass(slots=True)
class Watcher:
    """One subscriber that receives packets and compares them with the published ones."""

    peer: Peer
    frame_ticks: int
    decrypter: pylibsrtp.Session = field(init=False)
    received: int = 0
    compared: int = 0
    first: tuple[int, int] | None = None  # sequence number and timestamp, less those that count up from zero

    def __post_init__(self) -> None:
        self.decrypter = self.peer.decrypter()

    def take(self, published: list[bytes], frame: int) -> None:
        """Reads the packets of one burst. Raises Mismatch."""
        for packet in self.peer.receive_rtp():
            if self.received % COMPARE_EACH == 0:
                self._compare(self.decrypter.unprotect(packet), published[self.received % len(published)], frame)
            self.received += 1

    def _compare(self, packet: bytes, published: bytes, frame: int) -> None:
        self.compared += 1
        seq = int.from_bytes(packet[2:4], "big") - self.received & 0xFFFF
        timestamp = int.from_bytes(packet[4:8], "big") - frame * self.frame_ticks & 0xFFFFFFFF
        self.first = self.first or (seq, timestamp)
        if (seq, timestamp) != self.first:
            raise Mismatch(f"packet {self.received}: numbered or timed wrongly")
        if packet[:2] != published[:2] or int.from_bytes(packet[8:12], "big") != self.peer.ssrc:
            raise Mismatch(f"packet {self.received}: another header")
        if packet[HEADER_BYTES:] != published[HEADER_BYTES:]:
            raise Mismatch(f"packet {self.received}: another payload")


def verify(spec: SceneSpec, bursts: int) -> Verified:
    """Forwards so many bursts to a crowd that reads them. Raises Mismatch."""
    with open_scene(spec) as scene:
        watchers = [Watcher(peer, spec.stream.frame_ticks) for peer in scene.subscribers]
        _drain(scene)
        for frame in range(bursts):
            published = scene.forward()
            scene.workers.settle()
            for watcher in watchers:
                watcher.take(published, frame)
        return Verified(
            packets_expected=spec.crowd * bursts * spec.burst,
            packets_received=sum(watcher.received for watcher in watchers),
            packets_compared=sum(watcher.compared for watcher in watchers),
        )


def _drain(scene: Scene) -> None:
    """Enlarges the receive buffers and discards the packets of the set-up."""
    scene.workers.settle()
    for peer in scene.subscribers:
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        peer.receive_rtp()
