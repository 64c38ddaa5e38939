"""The keys that a DTLS handshake hands to the SRTP of a worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the engine imports this module
    from .engine import SrtpProfile


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """The outcome of one DTLS-SRTP handshake: `profile.key_bytes` of key and `profile.salt_bytes` of salt each way.

    `local` is key||salt for what we protect, `remote` for what the peer protects. Neither is ever printed.
    """

    profile: SrtpProfile
    local: bytes = field(repr=False)
    remote: bytes = field(repr=False)
