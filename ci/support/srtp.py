"""SRTP of the server over each crypto backend of this machine, and of libsrtp, the reference."""

from __future__ import annotations

import struct
from functools import cache

import pylibsrtp
import pylibsrtp._binding

from fanwire.fastpath import backends
from fanwire.fastpath.messages import SrtpProfile
from fanwire.fastpath.testing.protection import Ciphers

from . import libsrtp


@cache
def served() -> list[str]:
    """The backends of this machine. ipsec-mb runs on x86-64 only; ci/setup installs it there."""
    names = ["libcrypto"]
    try:
        backends.choose("ipsec-mb")
    except backends.BackendError:
        return names
    finally:
        backends.choose("auto")
    return [*names, "ipsec-mb"]


@cache
def ciphers(name: str) -> Ciphers:
    return Ciphers(name)


def master_key(profile: SrtpProfile, seed: int = 7) -> bytes:
    return bytes((i * seed + seed) & 0xFF for i in range(profile.key_bytes + profile.salt_bytes))


def oracle(profile: SrtpProfile, key: bytes, *, inbound: bool) -> pylibsrtp.Session:
    """A session of libsrtp for any SSRC."""
    policy = libsrtp.policy(profile, key, inbound=inbound)
    policy.allow_repeat_tx = True
    session = pylibsrtp.Session(policy)
    ffi = pylibsrtp._binding.ffi
    session._cdata = ffi.new("char[4096]")  # the default buffer is too small for the longest packets
    session._buffer = ffi.buffer(session._cdata)
    return session


def rtp_header(seq16: int, ssrc: int = 0x1234, *, padded: bool = False) -> bytes:
    """An RTP packet with two CSRCs and an extension, all sent in the clear."""
    first = 0xB2 if padded else 0x92
    fixed = struct.pack("!BBHII", first, 0x80 | 96, seq16, seq16 * 3000 & 0xFFFFFFFF, ssrc)
    return fixed + struct.pack("!II", 1, 2) + bytes.fromhex("bede0001 10aa0000")


def rtcp_packet(size: int, ssrc: int = 0x1234) -> bytes:
    """A receiver report's header and further bytes."""
    return struct.pack("!BBHI", 0x80, 201, size // 4 - 1, ssrc) + bytes(i & 0xFF for i in range(size - 8))
