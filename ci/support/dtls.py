"""DTLS peers of every kind, and the wire between two of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation

ALL_PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32"


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def self_signed(key: PrivateKey, *, valid_days: int = 30) -> x509.Certificate:
    """Make a certificate that expires in this number of days; negative: in the past."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=valid_days)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - datetime.timedelta(days=60))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )


def sha256(certificate: x509.Certificate) -> str:
    """Return a certificate's fingerprint in lower case, which SDP also allows."""
    return certificate.fingerprint(hashes.SHA256()).hex(":")


def foreign_certificate(
    *, key: PrivateKey | None = None, profiles: bytes = ALL_PROFILES, valid_days: int = 30, shown: bool = True
) -> Certificate:
    """Make a peer with settings other than the server's; without `shown` it presents no certificate."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = self_signed(key, valid_days=valid_days)
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    if profiles:
        context.set_tlsext_use_srtp(profiles)
    if shown:
        context.use_certificate(certificate)
        context.use_privatekey(key)
    return Certificate(f"sha-256 {sha256(certificate)}", context)


def fingerprints(certificate: Certificate) -> list[tuple[str, str]]:
    """Return a certificate's fingerprint in the form that the SDP parser returns."""
    algorithm, digest = certificate.fingerprint.split(" ")
    return [(algorithm, digest)]


def pair(
    ours: Certificate, theirs: Certificate, *, mtu: int = 1200, clock: Callable[[], float] = lambda: 0.0
) -> tuple[DtlsAssociation, DtlsAssociation]:
    """Make a client that presents `theirs` and a server that presents `ours`; each expects the other's fingerprint."""
    client = DtlsAssociation(theirs, client=True, remote_fingerprints=fingerprints(ours), mtu=mtu, clock=clock)
    server = DtlsAssociation(ours, client=False, remote_fingerprints=fingerprints(theirs), mtu=mtu, clock=clock)
    return client, server


def talk(client: DtlsAssociation, server: DtlsAssociation) -> list[bytes]:
    """Start the client and exchange datagrams until both are silent; return all datagrams."""
    client.start()
    carried = []
    while flight := [(server, datagram) for datagram in client.take_outgoing()] or [
        (client, datagram) for datagram in server.take_outgoing()
    ]:
        for receiver, datagram in flight:
            carried.append(datagram)
            receiver.receive(datagram)
    return carried
