"""A DTLS handshake over a wire that loses, repeats and reorders datagrams.

OpenSSL's retransmission timer (1 s, then 2 s) reads the real clock, so all the pairs of a test live through the same
few seconds side by side.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable

from ci.support.dtls import pair
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation, DtlsState

OURS = Certificate.generate()
THEIRS = Certificate.generate()
SMALL_MTU = 300  # so that most flights take several datagrams

Fate = Callable[[int], Iterable[int]]
"""Says, of the n-th datagram on a wire, when each of its copies arrives: after so many later ones. None: it is lost."""


class Wire:
    """A client, a server, and what is under way between them."""

    def __init__(self, fate: Fate) -> None:
        self.client, self.server = pair(OURS, THEIRS, mtu=SMALL_MTU, clock=time.monotonic)
        self.client.start()
        self.sent = 0
        self._fate = fate
        self._under_way: list[tuple[int, DtlsAssociation, bytes]] = []

    def carry(self) -> None:
        """Bring over all there is, and the answers to it."""
        self._collect()
        while self._under_way:
            self._under_way.sort(key=lambda parcel: parcel[0])
            _, receiver, datagram = self._under_way.pop(0)
            receiver.receive(datagram)
            self._collect()

    def _collect(self) -> None:
        for sender, receiver in ((self.client, self.server), (self.server, self.client)):
            for datagram in sender.take_outgoing():
                self._under_way += [(self.sent + delay, receiver, datagram) for delay in self._fate(self.sent)]
                self.sent += 1

    @property
    def connected(self) -> bool:
        return self.client.state is self.server.state is DtlsState.CONNECTED


def live(wires: list[Wire], patience_s: float) -> None:
    """Let real time pass until all are connected, or patience has come to its end."""
    ends_at_s = time.monotonic() + patience_s
    while not all(wire.connected for wire in wires) and time.monotonic() < ends_at_s:
        for wire in wires:
            for association in (wire.client, wire.server):
                association.handle_timeout()
            wire.carry()
        time.sleep(0.05)


def agree(wire: Wire) -> bool:
    client, server = wire.client.keys, wire.server.keys
    return client is not None and server is not None and client.local == server.remote and client.remote == server.local


def test_any_two_datagrams_may_be_lost() -> None:
    undisturbed = Wire(lambda _: [0])
    undisturbed.carry()
    assert undisturbed.connected
    assert undisturbed.sent >= 7

    def losing(lost: tuple[int, int]) -> Fate:
        return lambda n: [] if n in lost else [0]

    losses = list(itertools.combinations_with_replacement(range(undisturbed.sent + 2), 2))
    wires = [Wire(losing(lost)) for lost in losses]
    live(wires, patience_s=6)
    assert [lost for lost, wire in zip(losses, wires, strict=True) if not agree(wire)] == []


def test_repeats_reordering_and_heavy_loss_only_delay() -> None:
    def fate(seed: int) -> Fate:
        chance = random.Random(seed)

        def of(n: int) -> list[int]:
            if n < 6 and chance.random() < 0.3:
                return []
            return [chance.randrange(4) for _ in range(chance.choice([1, 1, 1, 2, 3]))]

        return of

    wires = [Wire(fate(seed)) for seed in range(40)]
    live(wires, patience_s=12)
    assert [seed for seed, wire in enumerate(wires) if not agree(wire)] == []
