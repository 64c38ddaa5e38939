"""Splits datagrams and flights into DTLS records (RFC 6347 section 4.1)."""

from __future__ import annotations

from typing import NamedTuple

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23

MAX_RECORDS = 16  # of a datagram; no peer packs so many

_HEADER_BYTES = 13
_CLIENT_HELLO = 1
_FRAGMENT_OFFSET = slice(6, 9)
_RANDOM_BYTES = 32
_RANDOM_END = 12 + 2 + _RANDOM_BYTES  # after the handshake header and the version
_MAJOR_VERSION = 0xFE  # DTLS 1.0 is FE FF, 1.2 is FE FD; a ClientHello may carry either


class Record(NamedTuple):
    """One record: content type (20-23), epoch (0 is plaintext), and all bytes with the header."""

    content_type: int
    epoch: int
    data: bytes

    @property
    def payload(self) -> bytes:
        """The bytes after the header."""
        return self.data[_HEADER_BYTES:]


def split_datagram(data: bytes) -> list[Record]:
    """The records of a datagram: 1 to MAX_RECORDS; none if any part of it is not a complete, well-formed record."""
    return _split(data, MAX_RECORDS)


def _split(data: bytes, most: int) -> list[Record]:
    found: list[Record] = []
    at = 0
    while at < len(data):
        if len(found) == most:
            return []
        end = at + _HEADER_BYTES
        if end > len(data) or not CHANGE_CIPHER_SPEC <= data[at] <= APPLICATION_DATA or data[at + 1] != _MAJOR_VERSION:
            return []
        end += int.from_bytes(data[end - 2 : end], "big")
        if end > len(data):
            return []
        found.append(Record(data[at], int.from_bytes(data[at + 3 : at + 5], "big"), data[at:end]))
        at = end
    return found


def client_random(record: Record) -> bytes | None:
    """Return the random of a ClientHello (RFC 6347 section 4.2.1) that begins in a plaintext record, else None."""
    body = record.payload
    if record.content_type != HANDSHAKE or record.epoch or len(body) < _RANDOM_END:
        return None
    begins = body[0] == _CLIENT_HELLO and not any(body[_FRAGMENT_OFFSET])
    return body[_RANDOM_END - _RANDOM_BYTES : _RANDOM_END] if begins else None


def pack(flight: bytes, mtu: int) -> list[bytes]:
    """Pack the records of a flight, in order, into the fewest datagrams of at most `mtu` bytes.

    A record is never split: one larger than `mtu` gets its own datagram.
    """
    datagrams: list[bytes] = []
    for record in _split(flight, len(flight)):
        if datagrams and len(datagrams[-1]) + len(record.data) <= mtu:
            datagrams[-1] += record.data
        else:
            datagrams.append(record.data)
    return datagrams
