"""A publisher and a crowd of subscribers on one or more workers, ready to forward bursts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    AddRelayedProducer,
    AddRelayTarget,
    BindConsumer,
    ConsumerSpec,
    ProducerSpec,
    SetConsent,
    SrtpProfile,
)

from .media import MID, Stream, Video
from .peers import HOUR_US, Peer, Publisher, subscribers, udp_socket
from .usage import resident_bytes
from .workers import Unit, Workers

POOL_PACKETS = 4096
RING_BYTES = 1 << 20
RESULT_BYTES = 24  # at least: id, ticket, error
AT_ONCE = 64  # commands of one kind


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """Parameters of a Scene: each burst has `burst` packets of `payload_bytes` for `crowd` subscribers."""

    crowd: int
    burst: int
    payload_bytes: int
    profile: SrtpProfile
    workers: int = 1
    stream: type[Stream] = Video
    one_port: bool = False  # the subscribers share a socket, so that a load can be sent for all of them at once
    coalesce_us: int = 0


class Scene:
    """Workers, a publisher and subscribers, connected by the constructor. Measures the memory per subscriber."""

    def __init__(self, spec: SceneSpec) -> None:
        self.spec = spec
        self.workers = Workers(spec.workers, POOL_PACKETS, spec.coalesce_us)
        self.home = self.workers.units[0]  # of the publisher
        self.publisher = Publisher(self.home.address, spec.profile)
        self.subscribers = subscribers(spec.crowd, spec.profile, udp_socket("0.0.0.0") if spec.one_port else None)
        self.first_seqs = [secrets.randbelow(0x7FFE) + 1 for _ in self.subscribers]
        self.stream = spec.stream(self.publisher.ssrc)
        self.published = 0  # packets that the subscribers were to have
        self.consumers: list[int] = []  # of the subscribers, one worker's after the other's
        producers = self._publish()
        self._fill_pool()
        self._fill_rings()
        before = resident_bytes()
        for i, unit in enumerate(self.workers.units):
            places = range(i, spec.crowd, spec.workers)
            for start in range(0, len(places), AT_ONCE):
                self._subscribe(unit, producers[i], places[start : start + AT_ONCE])
        self.stream.keyframe_due = True  # they all wait for one
        self.published = 0
        self.forward()
        self.bytes_a_subscriber = (resident_bytes() - before) / spec.crowd

    def close(self) -> None:
        self.workers.close()
        for peer in (self.publisher, *self.subscribers):
            peer.close()

    def forward(self, expected: int | None = None) -> list[bytes]:
        """Publishes one burst and waits until it is forwarded to all subscribers, or until `expected` packets are sent.

        Returns it, in the clear.
        """
        packets = self.next_burst()
        if expected is None:
            expected = len(packets) // len(self.stream.encodings) * len(self.subscribers)
        want = self.workers.count("rtp_out") + expected
        self.publisher.send(packets)
        self.workers.wait("rtp_out", want)
        return packets

    def next_burst(self) -> list[bytes]:
        """The packets of the next frame, in the clear, for the caller to publish."""
        self.published += self.spec.burst
        return self.stream.next_frame([self.spec.payload_bytes] * self.spec.burst)

    def _publish(self) -> list[int]:
        """Adds the producer on the first worker and a copy on each other one. Returns their ids."""
        stream = self.stream
        spec = ProducerSpec(MID, stream.kind, (stream.format,), stream.extensions, stream.encodings)
        [transport] = self.workers.connect(self.home, [self.publisher])
        [producer] = self.home.submit([AddProducer(transport, spec)])
        self._transport = transport
        made = [producer]
        for i, unit in enumerate(self.workers.units[1:], 1):
            made += unit.submit([AddRelayedProducer(0, producer, spec)])
            self.home.submit([AddRelayTarget(producer, i, made[i])])
        return made

    def _fill_pool(self) -> None:
        """Touches the memory of the whole packet pool, so that it does not count as memory of subscribers."""
        for _ in range(POOL_PACKETS // self.spec.burst + 1):
            packets = self.next_burst()
            want = self.workers.count("rtp_in") + len(packets)
            self.publisher.send(packets)
            self.workers.wait("rtp_in", want)

    def _fill_rings(self) -> None:
        """Touches the memory of the rings between Python and the worker, for the same reason."""
        for _ in range(RING_BYTES // RESULT_BYTES // AT_ONCE):
            self.home.submit([SetConsent(self._transport, HOUR_US)] * AT_ONCE)

    def _subscribe(self, unit: Unit, producer: int, places: range) -> None:
        peers = [self.subscribers[place] for place in places]
        first_seqs = [self.first_seqs[place] for place in places]
        transports = self.workers.connect(unit, peers)
        consumers = unit.submit(
            AddConsumer(transport, consumer_spec(peer, self.spec.stream), first_seq, 1, secrets.randbits(32))
            for peer, transport, first_seq in zip(peers, transports, first_seqs, strict=True)
        )
        unit.submit(BindConsumer(consumer, producer, formats=(0,)) for consumer in consumers)
        self.consumers += consumers


def consumer_spec(peer: Peer, stream: type[Stream]) -> ConsumerSpec:
    """The consumer of this peer."""
    return ConsumerSpec(
        mid=MID,
        kind=stream.kind,
        payload_types=(stream.format,),
        ssrc=peer.ssrc,
        rtx_ssrc=peer.ssrc ^ 1 if stream.format.rtx_pt is not None else 0,
        cname="bench",
        extensions=stream.extensions,
    )


@contextmanager
def open_scene(spec: SceneSpec) -> Iterator[Scene]:
    """A Scene that is closed at the end."""
    made = Scene(spec)
    try:
        yield made
    finally:
        made.close()
