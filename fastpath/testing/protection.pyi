from collections.abc import Sequence
from typing import Literal

Status = Literal["ok", "replayed", "forged", "failed"]
Job = tuple[Srtp, bytes, bytes, bytes, int, int]

def hmac_sha1(key: bytes, data: bytes) -> bytes: ...

class Ciphers:
    """One initialised crypto backend. Raises RuntimeError if this machine does not support it."""

    def __init__(self, backend: str) -> None: ...
    def keystream(self, key: bytes, iv: bytes, size: int) -> bytes: ...
    def derive(self, profile: int, rtcp: bool, master: bytes) -> tuple[bytes, bytes]:
        """Returns the session key and salt, padded with zeros."""

    def seal(self, profile: int, key: bytes, iv: bytes, header: bytes, plaintext: bytes) -> bytes:
        """AES-GCM without SRTP key derivation. Returns ciphertext and tag."""

class Srtp:
    """A context for both directions."""

    def __init__(self, ciphers: Ciphers, profile: int, local_key: bytes, remote_key: bytes) -> None: ...
    @property
    def memory_bytes(self) -> int: ...
    def unprotect(self, packet: bytes) -> tuple[Status, bytes]: ...
    def unprotect_rtcp(self, packet: bytes) -> tuple[Status, bytes]: ...
    def protect_rtcp(self, packet: bytes) -> bytes | None: ...

def protect(jobs: Sequence[Job]) -> list[bytes | None]:
    """Each job is a context, header, prefix, body, padding and index; all are protected together."""
