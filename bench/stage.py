"""One worker with a publisher and a crowd of subscribers, ready to forward bursts."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    BindConsumer,
    ConsumerSpec,
    Encoding,
    Kind,
    ProducerSpec,
    SrtpProfile,
)
from fanwire.fastpath.worker import Worker

from .asking import ask
from .media import EXTENSIONS, MID, VIDEO, Video
from .peers import Peer, Publisher, subscribers
from .usage import CpuTime, resident_bytes

POOL_PACKETS = 4096
POLL_S = 0.0002
PATIENCE_S = 5.0


class Stage:
    """Everything is set up by the constructor, which also measures the memory that the subscribers take.

    `burst` packets a frame of `payload_bytes` each go to `crowd` subscribers at a time.
    """

    def __init__(self, *, crowd: int, burst: int, payload_bytes: int, profile: SrtpProfile) -> None:
        self.burst = burst
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.server: tuple[str, int] = self.sock.getsockname()
        self.worker = Worker(0, [self.sock], pool_packets=POOL_PACKETS)
        self.worker.start()
        self.thread = next(t for t in threading.enumerate() if t.name == "fanwire-worker-0")
        self.publisher = Publisher(self.server, profile)
        self.subscribers = subscribers(crowd, profile)
        self.video = Video(self.publisher.ssrc, burst, payload_bytes)
        producer = self._publish()
        self._fill_pool()
        before = resident_bytes()
        self._subscribe(producer)
        self.forward()
        self.bytes_a_subscriber = (resident_bytes() - before) / crowd

    def close(self) -> None:
        self.worker.stop()
        for peer in (self.publisher, *self.subscribers):
            peer.close()

    def forward(self) -> list[bytes]:
        """Publishes one burst and waits until it has gone out to everyone. Returns it, in the clear."""
        packets = self.video.next_frame()
        want = self._count("rtp_out") + len(packets) * len(self.subscribers)
        self.publisher.send(packets)
        self._wait("rtp_out", want)
        return packets

    def settle(self) -> None:
        """Waits until the worker sends no more: it counts packets a little before they leave."""
        before = -1
        while (now := self._count("udp_packets_out")) != before:
            before = now
            time.sleep(0.002)

    def cpu(self) -> CpuTime:
        """What the worker's thread has used."""
        return CpuTime.of(self.thread)

    def _count(self, name: str) -> int:
        return self.worker.counters()[name]

    def _wait(self, name: str, want: int) -> None:
        """Until a counter is there. What is lost on the way, if anything, shows in the books later."""
        deadline = time.monotonic() + PATIENCE_S
        while self._count(name) < want and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def _connect(self, peers: list[Peer]) -> list[int]:
        transports = ask(self.worker, (peer.open_transport() for peer in peers))
        ask(self.worker, (peer.set_keys(transport) for peer, transport in zip(peers, transports, strict=True)))
        for i, peer in enumerate(peers, self._count("stun_in") + 1):
            peer.check(self.server)
            if i % 64 == 0:
                self._wait("stun_in", i)
        self._wait("stun_in", i)
        return transports

    def _publish(self) -> int:
        spec = ProducerSpec(MID, Kind.VIDEO, (VIDEO,), EXTENSIONS, (Encoding(ssrc=self.publisher.ssrc),))
        [transport] = self._connect([self.publisher])
        [producer] = ask(self.worker, [AddProducer(transport, spec)])
        return producer

    def _fill_pool(self) -> None:
        """The pool's memory is touched as packets come: once around, so that it is not taken for the subscribers'."""
        for _ in range(POOL_PACKETS // self.burst + 1):
            packets = self.video.next_frame()
            want = self._count("rtp_in") + len(packets)
            self.publisher.send(packets)
            self._wait("rtp_in", want)

    def _subscribe(self, producer: int) -> None:
        transports = self._connect(self.subscribers)
        consumers = ask(
            self.worker,
            (
                AddConsumer(transport, self._consumer(peer), secrets.randbelow(0x7FFE) + 1, 1, secrets.randbits(32))
                for peer, transport in zip(self.subscribers, transports, strict=True)
            ),
        )
        ask(self.worker, (BindConsumer(consumer, producer, formats=(0,)) for consumer in consumers))
        self.video.keyframe_due = True  # they all wait for one

    def _consumer(self, peer: Peer) -> ConsumerSpec:
        return ConsumerSpec(
            mid=MID,
            kind=Kind.VIDEO,
            payload_types=(VIDEO,),
            ssrc=peer.ssrc,
            rtx_ssrc=peer.ssrc ^ 1,
            cname="bench",
            extensions=EXTENSIONS,
        )


@contextmanager
def stage(*, crowd: int, burst: int, payload_bytes: int, profile: SrtpProfile) -> Iterator[Stage]:
    """A Stage that is taken down at the end."""
    made = Stage(crowd=crowd, burst=burst, payload_bytes=payload_bytes, profile=profile)
    try:
        yield made
    finally:
        made.close()
