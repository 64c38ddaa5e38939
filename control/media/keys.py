"""The SRTP keys that a DTLS handshake gives to a worker."""

from __future__ import annotations

from dataclasses import dataclass, field

from .fastpath import SrtpProfile


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """The outcome of one DTLS-SRTP handshake: `profile.key_bytes` of key and `profile.salt_bytes` of salt each way.

    `local` is key||salt for packets that the server protects, `remote` for those that the peer protects. Neither is
    ever printed.
    """

    profile: SrtpProfile
    local: bytes = field(repr=False)
    remote: bytes = field(repr=False)
