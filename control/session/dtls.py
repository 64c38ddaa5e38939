"""One DTLS-SRTP association (RFC 5764), sans-IO: datagrams in, datagrams out, SRTP keys at the end.

No method is safe to call while another one runs on the same association.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable

from OpenSSL import SSL

from ..media.engine import SrtpProfile
from ..media.keys import SrtpKeys
from . import dtls_records
from .certificate import Certificate, PeerFingerprints
from .dtls_flight import Flight

_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": SrtpProfile.AEAD_AES_128_GCM,
    b"SRTP_AEAD_AES_256_GCM": SrtpProfile.AEAD_AES_256_GCM,
    b"SRTP_AES128_CM_SHA1_80": SrtpProfile.AES128_CM_SHA1_80,
}
_EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
_READ_BYTES = 4096  # a flight, as a rule

# Records of a connected peer that end the association. Late and repeated handshake records do not.
_CLOSING = (dtls_records.ALERT, dtls_records.APPLICATION_DATA)


class DtlsState(enum.Enum):
    """The state of an association. FAILED (with `error`) and CLOSED (by the server, or by close_notify) are final."""

    NEW = enum.auto()
    CONNECTING = enum.auto()
    CONNECTED = enum.auto()
    FAILED = enum.auto()
    CLOSED = enum.auto()


class DtlsError(Exception):
    """The handshake cannot succeed. The message gives the reason."""


class DtlsAssociation:
    """The DTLS side of one transport, as server or as client.

    Drive it with `start`, `receive` and, whenever `timeout_s` has passed, `handle_timeout`; send `take_outgoing` after
    each. None of them raises, for any input. `keys` are set together with CONNECTED, after the check of the peer's
    certificate; `error` is the reason of FAILED and CLOSED.

    Once connected, OpenSSL's state (about 90 kB) is freed. The rest answers a repeated Finished, and sets
    `peer_closing` on an alert or on application data.
    """

    def __init__(
        self,
        certificate: Certificate,
        *,
        client: bool,
        remote_fingerprints: Iterable[tuple[str, str]],
        mtu: int = 1200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare an association. `mtu` is the largest datagram in bytes (at least 256), `clock` returns seconds.

        Raises DtlsError if none of the fingerprints (hash function, hex digits) can be checked.
        """
        fingerprints = PeerFingerprints.select(remote_fingerprints)
        if fingerprints is None:
            raise DtlsError("no usable certificate fingerprint: sha-256, sha-384 or sha-512 is needed")
        self.state = DtlsState.NEW
        self.keys: SrtpKeys | None = None
        self.error: DtlsError | None = None
        self.peer_closing = False
        self.ignored = 0  # datagrams that were not DTLS, or came in a final state
        self._client = client
        self._fingerprints = fingerprints
        self._mtu = mtu
        self._outgoing: list[bytes] = []
        self._flight = Flight(clock)
        self._farewell: list[bytes] = []
        self._connection: SSL.Connection | None = SSL.Connection(certificate.context, None)
        self._connection.set_ciphertext_mtu(mtu)
        if client:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def start(self) -> None:
        """Start: a client's first flight is ready to be sent, a server waits."""
        if self.state is DtlsState.NEW:
            self.state = DtlsState.CONNECTING
            if self._client:
                self._advance()

    def receive(self, datagram: bytes) -> None:
        """Process a datagram of the peer. Takes about 1 ms of CPU, mostly without the GIL, until connected."""
        records = dtls_records.split_datagram(datagram)
        self.start()
        if not records or self.state not in (DtlsState.CONNECTING, DtlsState.CONNECTED):
            self.ignored += 1
            return
        self._outgoing += self._flight.heard(records)
        if self._connection is not None:
            self._connection.bio_write(datagram)
            self._advance()
        elif any(record.content_type in _CLOSING for record in records):
            self.peer_closing = True

    def take_outgoing(self) -> list[bytes]:
        """Remove and return the datagrams to send now."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def timeout_s(self) -> float | None:
        """Seconds until `handle_timeout` is due, or None if no flight waits for an answer."""
        return self._connection.DTLSv1_get_timeout() if self._connection is not None else None

    def handle_timeout(self) -> None:
        """Repeat a flight without an answer, if it is due."""
        if self._connection is not None:
            try:
                repeated = self._connection.DTLSv1_handle_timeout()
            except SSL.Error:
                self._fail(DtlsState.FAILED, "the peer does not answer")
            else:
                if repeated:
                    self._send_flight()

    def close(self) -> None:
        """End the association. A connected one leaves a close_notify to be sent."""
        if self.state is DtlsState.CONNECTED:
            self._outgoing += self._farewell
            self.state = DtlsState.CLOSED
        elif self.state in (DtlsState.NEW, DtlsState.CONNECTING):
            self._fail(DtlsState.CLOSED, "closed before the handshake was over")

    def _advance(self) -> None:
        assert self._connection is not None
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._send_flight()
        except SSL.ZeroReturnError:
            self._fail(DtlsState.CLOSED, "the peer closed during the handshake")
        except SSL.Error as error:
            self._fail(DtlsState.FAILED, f"the handshake failed: {_reason(error)}")
        else:
            self._finish(self._connection)

    def _finish(self, connection: SSL.Connection) -> None:
        last_flight = self._read()
        connection.shutdown()  # writes the close_notify now, because the connection is freed below
        farewell = self._read()
        self._outgoing += last_flight
        try:
            self.keys = self._authenticated_keys(connection)
        except DtlsError as error:
            self._outgoing += farewell
            self._fail(DtlsState.FAILED, str(error))
        else:
            self.state = DtlsState.CONNECTED
            self._farewell = farewell
            self._connection = None
            # A client repeats nothing: the server sent the last flight, and it arrived.
            self._flight.sent(() if self._client else last_flight, last=True)

    def _authenticated_keys(self, connection: SSL.Connection) -> SrtpKeys:
        certificate = connection.get_peer_certificate()
        if certificate is None or not self._fingerprints.match(certificate):
            raise DtlsError(
                f"the peer's certificate does not match its announced {self._fingerprints.algorithm} fingerprint"
            )
        profile = _PROFILES.get(connection.get_selected_srtp_profile())
        if profile is None:
            raise DtlsError("the peer supports none of the server's SRTP profiles")
        key, salt = profile.key_bytes, profile.salt_bytes
        block = connection.export_keying_material(_EXPORTER_LABEL, 2 * (key + salt))
        # RFC 5764 section 4.2: client key, server key, client salt, server salt.
        client = block[:key] + block[2 * key : 2 * key + salt]
        server = block[key : 2 * key] + block[2 * key + salt :]
        return SrtpKeys(profile, client, server) if self._client else SrtpKeys(profile, server, client)

    def _send_flight(self) -> None:
        datagrams = self._read()
        if datagrams:
            self._flight.sent(datagrams)
            self._outgoing += datagrams

    def _read(self) -> list[bytes]:
        assert self._connection is not None
        written = bytearray()
        while True:
            try:
                written += self._connection.bio_read(_READ_BYTES)
            except SSL.WantReadError:
                return dtls_records.pack(bytes(written), self._mtu)

    def _fail(self, state: DtlsState, reason: str) -> None:
        self._outgoing += self._read()  # OpenSSL may have written an alert
        self.state = state
        self.error = DtlsError(reason)
        self._connection = None


def _reason(error: SSL.Error) -> str:
    """The text of OpenSSL's first error."""
    if isinstance(error, SSL.SysCallError) or not error.args or not error.args[0]:
        return str(error) or type(error).__name__
    return str(error.args[0][0][-1])
