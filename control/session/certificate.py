"""The server's DTLS certificate, and the check of the peer's certificate by its fingerprint (RFC 8122)."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

# Peers identify the certificate by its fingerprint and should ignore its dates. For a peer that checks them, the
# certificate allows for months of uptime and for a clock that is ahead. The W3C's WebRTC API allows a year at most.
_CLOCK_SKEW = datetime.timedelta(days=1)
_LIFETIME = datetime.timedelta(days=364)

# The accepted hash functions, the preferred ones first, and the bytes of their digests.
_DIGEST_BYTES = {"sha-512": 64, "sha-384": 48, "sha-256": 32}
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")

_DTLS_1_2 = 0xFEFD

# Only AEADs with forward secrecy. RSA is allowed, because some peers (GStreamer) have an RSA certificate and may be the
# DTLS server.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"

# In order of preference. The server's order counts.
_SRTP_PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed ECDSA P-256 certificate and the OpenSSL context that presents it, one for the whole process.

    `fingerprint` is the value of `a=fingerprint:` in SDP: "sha-256 AB:CD:...".
    """

    fingerprint: str
    context: SSL.Context

    @classmethod
    def generate(cls) -> Certificate:
        """Make a new key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fanwire")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _LIFETIME)
            .sign(key, hashes.SHA256())
        )
        digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        return cls(fingerprint=f"sha-256 {digest}", context=_context(certificate, key))


@dataclass(frozen=True, slots=True)
class PeerFingerprints:
    """The peer's announced fingerprints of one hash function."""

    algorithm: str
    digests: tuple[bytes, ...]

    @classmethod
    def select(cls, offered: Iterable[tuple[str, str]]) -> PeerFingerprints | None:
        """Select those of the strongest known hash from (hash function, hex digits) pairs, as in SDP.

        The others are ignored (RFC 8122 section 5). None: no pair is well-formed and known.
        """
        pairs = [(algorithm.lower(), digest) for algorithm, digest in offered if _DIGEST.fullmatch(digest)]
        for algorithm, size in _DIGEST_BYTES.items():
            digests = [bytes.fromhex(digest.replace(":", "")) for name, digest in pairs if name == algorithm]
            if known := tuple(digest for digest in digests if len(digest) == size):
                return cls(algorithm, known)
        return None

    def match(self, certificate: crypto.X509) -> bool:
        """Whether this is the certificate that the peer announced."""
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
        digest = hashlib.new(self.algorithm.replace("-", ""), der).digest()
        return any(hmac.compare_digest(digest, announced) for announced in self.digests)


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)  # dtls_flight and dtls_records implement the rules of 1.2
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(_SRTP_PROFILES)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept_any)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # without resumption the server always sends the last flight
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    return context


def _accept_any(*_: object) -> bool:
    """Accept expired and self-signed certificates: the fingerprint is checked after the handshake."""
    return True
