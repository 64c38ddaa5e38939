"""Cuts datagrams and flights into DTLS records without looking inside them (RFC 6347 section 4.1)."""

from __future__ import annotations

from typing import NamedTuple

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23

_HEADER_BYTES = 13
_MAJOR_VERSION = 0xFE  # DTLS 1.0 is FE FF, 1.2 is FE FD; a ClientHello may carry either


class Record(NamedTuple):
    """One record: its content type (20-23), its epoch (0 is plaintext) and all of its bytes."""

    content_type: int
    epoch: int
    data: bytes

    @property
    def payload(self) -> bytes:
        """What follows the header."""
        return self.data[_HEADER_BYTES:]


def split(data: bytes) -> list[Record]:
    """Return the records of a datagram, or none at all unless it is whole, well-formed records from end to end."""
    found = []
    at = 0
    while at < len(data):
        end = at + _HEADER_BYTES
        if end > len(data) or not CHANGE_CIPHER_SPEC <= data[at] <= APPLICATION_DATA or data[at + 1] != _MAJOR_VERSION:
            return []
        end += int.from_bytes(data[end - 2 : end], "big")
        if end > len(data):
            return []
        found.append(Record(data[at], int.from_bytes(data[at + 3 : at + 5], "big"), data[at:end]))
        at = end
    return found


def pack(flight: bytes, mtu: int) -> list[bytes]:
    """Join the records of a flight into as few datagrams of at most `mtu` bytes as their order allows.

    A record is never cut: one that is larger than `mtu` gets a datagram of its own.
    """
    datagrams: list[bytes] = []
    for record in split(flight):
        if datagrams and len(datagrams[-1]) + len(record.data) <= mtu:
            datagrams[-1] += record.data
        else:
            datagrams.append(record.data)
    return datagrams
