"""Keeps the last DTLS flight and repeats it when the peer repeats its own (RFC 6347 section 4.2.4).

OpenSSL repeats a flight only when its timer expires, first after a second, and its state is freed after the handshake,
while the loss of the last flight shows only afterwards. A repeated datagram is byte-identical: a peer that has it
already drops it as a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import dtls_records
from .dtls_records import Record

# Bounds the traffic that a hostile peer can cause.
_INTERVAL_S = 0.1
_MAX_REPEATS = 12

_HANDSHAKE_HEADER_BYTES = 12


class Flight:
    """The last datagrams sent, and the peer's messages that they answer. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._datagrams: Sequence[bytes] = ()
        self._last = False
        self._sent_at_s = 0.0
        self._repeats_left = _MAX_REPEATS
        self._heard_sequence = -1
        self._answered_sequence = -1
        self._client_random: bytes | None = None

    def sent(self, datagrams: Sequence[bytes], *, last: bool = False) -> None:
        """Store a new flight, which answers all messages so far. `last`: it ends the handshake.

        An empty flight is never repeated.
        """
        self._datagrams = datagrams
        self._last = last
        self._sent_at_s = self._clock()
        self._answered_sequence = self._heard_sequence

    def heard(self, records: Sequence[Record]) -> Sequence[bytes]:
        """Note what the peer sends; return our flight if the peer asks for it by repeating what it has answered.

        At most every 100 ms, and 12 times in all. After the last flight an encrypted message is the Finished again. A
        ClientHello with another random is never a repeat (RFC 6347 section 4.2.8): it begins another handshake.
        """
        repeated = False
        for record in records:
            if record.content_type != dtls_records.HANDSHAKE:
                continue
            if record.epoch > 0:
                repeated |= self._last
            elif self._begins_another(record):
                continue
            elif len(record.payload) >= _HANDSHAKE_HEADER_BYTES:
                message_sequence = int.from_bytes(record.payload[4:6], "big")
                self._heard_sequence = max(self._heard_sequence, message_sequence)
                repeated |= message_sequence <= self._answered_sequence
        return self._repeat() if repeated else ()

    def _begins_another(self, record: Record) -> bool:
        """Whether it is a ClientHello whose random differs from that of the first."""
        random = dtls_records.client_random(record)
        if self._client_random is None:
            self._client_random = random
        return random is not None and random != self._client_random

    def _repeat(self) -> Sequence[bytes]:
        now_s = self._clock()
        if not self._datagrams or not self._repeats_left or now_s - self._sent_at_s < _INTERVAL_S:
            return ()
        self._repeats_left -= 1
        self._sent_at_s = now_s
        return self._datagrams
