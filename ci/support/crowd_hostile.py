"""Hostile datagrams: random ones, and genuine ones of a live call, damaged, forged or replayed.

Excludes replayed checks with valid integrity: a server must answer them.
"""

from __future__ import annotations

import binascii
import random
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from fanwire.fastpath.testing import probes

_LONGEST = 1400
_EDGES = (0, 1, 2, 11, 12, 13, 19, 20, 21, 28)  # lengths around those of complete headers
_INTEGRITY_BYTES, _FINGERPRINT_BYTES = 24, 8
_FINGERPRINT_XOR = 0x5354554E
_STUN_HEADER_BYTES = 20
_KEPT = 500  # samples of each kind


class Genuine:
    """Datagrams sent by clients: `counts` of all, and samples, by kind (probes.demux)."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.samples: defaultdict[str, list[bytes]] = defaultdict(list)

    def take(self, datagram: bytes) -> None:
        """Records one datagram."""
        kind = probes.demux(datagram)
        self.counts[kind] += 1
        if len(self.samples[kind]) < _KEPT:
            self.samples[kind].append(datagram)


class Hostile:
    """Endless mixture made from the samples. The same seed and samples give the same mixture."""

    def __init__(self, genuine: Genuine, seed: int) -> None:
        self._chance = random.Random(seed)
        self._samples = genuine.samples
        self._forgers: list[Callable[[], bytes]] = [
            self._noise,
            self._stun_wrong_integrity,
            self._stun_no_integrity,
            self._stun_unknown_ufrag,
            self._stun_no_request,
            self._dtls_record,
            self._rtp_other_ssrc,
        ]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if self._chance.random() < 0.5:
                yield self._chance.choice(self._forgers)()
                continue
            kind = self._chance.choice(("stun", "dtls", "rtp", "rtcp"))
            damage = self._chance.choice((self._cut, self._flip, self._repeat))
            if damage == self._repeat and kind == "stun":
                damage = self._flip
            yield damage(self._sample(kind))

    def _sample(self, kind: str) -> bytes:
        return self._chance.choice(self._samples[kind])

    def _cut(self, data: bytes) -> bytes:
        return data[: self._chance.randrange(len(data))]

    def _flip(self, data: bytes) -> bytes:
        flipped = int.from_bytes(data, "big")
        for bit in self._chance.sample(range(8 * len(data)), self._chance.choice((1, 2, 16))):
            flipped ^= 1 << bit
        return flipped.to_bytes(len(data), "big")

    def _repeat(self, data: bytes) -> bytes:
        return data

    def _noise(self) -> bytes:
        length = self._chance.choice((*_EDGES, self._chance.randrange(_LONGEST)))
        return self._chance.randbytes(length)

    def _check(self) -> tuple[bytes, bytes, bytes]:
        """The header, attributes and integrity of a genuine connectivity check."""
        data = self._sample("stun")
        end = len(data) - _FINGERPRINT_BYTES - _INTEGRITY_BYTES
        return data[:_STUN_HEADER_BYTES], data[_STUN_HEADER_BYTES:end], data[end : end + _INTEGRITY_BYTES]

    def _stun_wrong_integrity(self) -> bytes:
        header, attributes, integrity = self._check()
        return _stun(header[:8] + self._chance.randbytes(12), attributes + integrity)

    def _stun_no_integrity(self) -> bytes:
        header, attributes, _ = self._check()
        return _stun(header, attributes)

    def _stun_unknown_ufrag(self) -> bytes:
        header, attributes, integrity = self._check()
        ufrag = self._chance.randbytes(4).hex().encode()
        return _stun(header, attributes[:4] + ufrag + attributes[4 + len(ufrag) :] + integrity)

    def _stun_no_request(self) -> bytes:
        header, attributes, integrity = self._check()
        kind = self._chance.choice((0x0101, 0x0111, 0x0011, 0x0003, 0x3FFF))
        return _stun(struct.pack("!H", kind) + header[2:], attributes + integrity)

    def _dtls_record(self) -> bytes:
        """Records with valid headers: any type, plaintext or not, including fatal alerts."""
        body = self._chance.choice((b"\x02\x28", b"\x01\x00", self._chance.randbytes(self._chance.randrange(600))))
        return dtls_record(self._chance.randrange(20, 27), epoch=self._chance.randrange(3), body=body)

    def _rtp_other_ssrc(self) -> bytes:
        data = self._sample("rtp")
        return data[:8] + self._chance.randbytes(4) + data[12:]


def dtls_record(content_type: int, *, epoch: int, body: bytes) -> bytes:
    """A DTLS 1.2 record (RFC 6347 section 4.1) with any content."""
    return struct.pack("!BHHHIH", content_type, 0xFEFD, epoch, 0, 1, len(body)) + body


def _stun(header: bytes, attributes: bytes) -> bytes:
    """A STUN message with correct length and FINGERPRINT (RFC 8489 section 14.7)."""
    length = len(attributes) + _FINGERPRINT_BYTES
    message = header[:2] + struct.pack("!H", length) + header[4:] + attributes
    fingerprint = binascii.crc32(message) ^ _FINGERPRINT_XOR
    return message + struct.pack("!HHI", 0x8028, 4, fingerprint)
