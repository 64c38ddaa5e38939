"""A DTLS-SRTP association: whom it trusts, what it agrees on, and that nothing from the network can upset it."""

from __future__ import annotations

import gc
import hashlib
import itertools
import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL, crypto

from ci.support.crowd_hostile import dtls_record
from ci.support.dtls import fingerprints, foreign_certificate, pair, talk
from fanwire.control.media.engine import SrtpProfile
from fanwire.control.session import dtls_records
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation, DtlsError, DtlsState

OURS = Certificate.generate()
THEIRS = Certificate.generate()

GCM128, GCM256 = SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AEAD_AES_256_GCM
CM80 = SrtpProfile.AES128_CM_SHA1_80


def record(content_type: int, body: bytes, *, epoch: int = 0, sequence: int = 99) -> bytes:
    return (
        bytes([content_type, 0xFE, 0xFD])
        + epoch.to_bytes(2, "big")
        + sequence.to_bytes(6, "big")
        + len(body).to_bytes(2, "big")
        + body
    )


CLOSE_NOTIFY = record(21, b"\x01\x00")
FATAL_ALERT = record(21, b"\x02\x28")


@pytest.mark.parametrize("mtu", [256, 300, 576, 1200])
def test_client_and_server_agree_on_keys_in_whole_records_of_at_most_the_mtu(mtu: int) -> None:
    client, server = pair(OURS, THEIRS, mtu=mtu)
    carried = talk(client, server)
    assert client.state is server.state is DtlsState.CONNECTED
    assert client.keys is not None
    assert server.keys is not None
    assert (client.keys.local, client.keys.remote) == (server.keys.remote, server.keys.local)
    assert client.keys.local != client.keys.remote
    assert client.keys.profile is server.keys.profile is GCM128
    assert len(client.keys.local) == GCM128.key_bytes + GCM128.salt_bytes
    assert max(len(datagram) for datagram in carried) <= mtu
    assert all(dtls_records.split_datagram(datagram) for datagram in carried)
    assert client.timeout_s() is server.timeout_s() is None


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (b"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM", GCM128),
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", GCM256),
        (b"SRTP_AES128_CM_SHA1_80", CM80),
    ],
)
def test_the_servers_order_of_profiles_wins(offered: bytes, agreed: SrtpProfile) -> None:
    client, server = pair(OURS, foreign_certificate(profiles=offered))
    talk(client, server)
    assert server.keys is not None
    assert server.keys.profile is agreed
    assert len(server.keys.local) == len(server.keys.remote) == agreed.key_bytes + agreed.salt_bytes
    assert server.keys.local.hex() not in repr(server.keys)


@pytest.mark.parametrize("offered", [b"SRTP_AES128_CM_SHA1_32", b""])
@pytest.mark.parametrize("we_are_client", [False, True])
def test_without_a_common_profile_there_are_no_keys(offered: bytes, we_are_client: bool) -> None:
    foreign = foreign_certificate(profiles=offered)
    client, server = pair(foreign, OURS) if we_are_client else pair(OURS, foreign)
    talk(client, server)
    us = client if we_are_client else server
    assert us.state is DtlsState.FAILED
    assert us.keys is None
    assert "SRTP profile" in str(us.error)


@pytest.mark.parametrize("algorithm", ["sha-256", "SHA-384", "sha-512"])
@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_the_fingerprint_may_be_of_any_strong_hash_in_any_case(algorithm: str, spelling: Callable[[str], str]) -> None:
    client, server = with_fingerprints([("sha-1", "AB:CD"), (algorithm, spelling(digest(THEIRS, algorithm)))])
    talk(client, server)
    assert server.state is DtlsState.CONNECTED


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_a_certificate_that_was_not_announced_is_told_and_gets_no_keys(algorithm: str) -> None:
    client, server = with_fingerprints([(algorithm, digest(OURS, algorithm))])
    client.start()
    server.receive(client.take_outgoing()[0])
    client.receive(server.take_outgoing()[0])
    server.receive(client.take_outgoing()[0])
    assert server.state is DtlsState.FAILED
    assert server.keys is None
    assert algorithm in str(server.error)
    assert dtls_records.split_datagram(server.take_outgoing()[-1])[-1].content_type == dtls_records.ALERT


def test_only_the_strongest_hash_counts_and_one_match_is_enough() -> None:
    right, wrong = digest(THEIRS, "sha-512"), digest(OURS, "sha-512")
    client, server = with_fingerprints([("sha-512", wrong), ("sha-512", right), ("sha-256", digest(OURS, "sha-256"))])
    talk(client, server)
    assert server.state is DtlsState.CONNECTED
    client, server = with_fingerprints([("sha-512", wrong), ("sha-256", digest(THEIRS, "sha-256"))])
    talk(client, server)
    assert server.state is DtlsState.FAILED


@pytest.mark.parametrize(
    "offered",
    [[], [("sha-1", "AB:" * 19 + "AB")], [("sha-256", "AB:CD")], [("sha-256", "ZZ:" * 31 + "ZZ")], [("", "")]],
)
def test_no_usable_fingerprint_is_refused_at_once(offered: list[tuple[str, str]]) -> None:
    with pytest.raises(DtlsError, match="sha-256"):
        DtlsAssociation(OURS, client=False, remote_fingerprints=offered)


@pytest.mark.parametrize("we_are_client", [False, True])
def test_rsa_and_expired_certificates_are_as_good_as_any(we_are_client: bool) -> None:
    foreign = foreign_certificate(key=rsa.generate_private_key(65537, 2048), valid_days=-1)
    client, server = pair(foreign, OURS) if we_are_client else pair(OURS, foreign)
    talk(client, server)
    assert client.state is server.state is DtlsState.CONNECTED


def test_a_peer_without_a_certificate_is_refused() -> None:
    client, server = pair(OURS, foreign_certificate(shown=False))
    talk(client, server)
    assert server.state is DtlsState.FAILED
    assert "certificate" in str(server.error)


@given(cuts=st.sets(st.integers(1, 150), min_size=1, max_size=6), shuffle=st.randoms(use_true_random=False))
def test_a_hello_may_come_in_pieces_and_in_any_order(cuts: set[int], shuffle: random.Random) -> None:
    client, server = pair(OURS, THEIRS)
    client.start()
    [hello] = client.take_outgoing()
    message = dtls_records.split_datagram(hello)[0].payload
    header, body = message[:6], message[12:]  # type, length, message sequence; then fragment offset and length
    edges = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    pieces: list[bytes] = []
    for start, end in itertools.pairwise(edges):
        fragment = header + start.to_bytes(3, "big") + (end - start).to_bytes(3, "big") + body[start:end]
        pieces.append(record(dtls_records.HANDSHAKE, fragment, sequence=32 + len(pieces)))
    shuffle.shuffle(pieces)
    for piece in pieces:
        server.receive(piece)
    for datagram in server.take_outgoing():
        client.receive(datagram)
    for datagram in client.take_outgoing():
        server.receive(datagram)
    assert server.state is DtlsState.CONNECTED


dtls_like = st.builds(
    record,
    st.integers(18, 26),
    st.binary(max_size=64) | st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 25), st.binary()),
    epoch=st.integers(0, 2),
    sequence=st.integers(0, 2**48 - 1),
)


@settings(max_examples=300)
@given(
    client_side=st.booleans(),
    stage=st.integers(0, 3),
    datagrams=st.lists(st.binary(max_size=80) | dtls_like | st.lists(dtls_like, max_size=4).map(b"".join), max_size=6),
    damage=st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), max_size=4),
    data=st.data(),
)
def test_nothing_from_the_network_raises_or_yields_keys(
    client_side: bool,
    stage: int,
    datagrams: list[bytes],
    damage: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    client, server = pair(OURS, THEIRS)
    client.start()
    flights = [client, server, client, server]
    flight: list[bytes] = []
    for sender in flights[: stage + 1]:
        flight = sender.take_outgoing()
        for datagram in flight:
            (server if sender is client else client).receive(datagram)
    for position, flip in damage:
        damaged = bytearray(data.draw(st.sampled_from(flight)))
        damaged[position % len(damaged)] ^= flip
        datagrams = [*datagrams, bytes(damaged)]
    victim = client if client_side else server
    was_connected = victim.state is DtlsState.CONNECTED
    for datagram in datagrams:
        victim.receive(datagram)
        victim.handle_timeout()
        assert all(dtls_records.split_datagram(sent) for sent in victim.take_outgoing())
    assert (victim.keys is not None) == (victim.state is DtlsState.CONNECTED)
    assert (victim.error is not None) == (victim.state in (DtlsState.FAILED, DtlsState.CLOSED))
    assert not was_connected or victim.state is DtlsState.CONNECTED


def test_what_is_not_dtls_is_counted_and_changes_nothing() -> None:
    client, server = pair(OURS, THEIRS)
    client.start()
    [hello] = client.take_outgoing()
    for junk in (b"", b"\x16", hello[:-1], hello + b"\x16", b"\x80" * 40, bytes([hello[0], 3, 3]) + hello[3:]):
        server.receive(junk)
    assert server.ignored == 6
    server.receive(hello)
    talk(client, server)
    assert server.state is DtlsState.CONNECTED


@pytest.mark.parametrize(("alert", "state"), [(CLOSE_NOTIFY, DtlsState.CLOSED), (FATAL_ALERT, DtlsState.FAILED)])
def test_an_alert_ends_the_handshake(alert: bytes, state: DtlsState) -> None:
    client, server = pair(OURS, THEIRS)
    client.start()
    server.receive(client.take_outgoing()[0])
    server.receive(alert)
    assert server.state is state
    assert server.error is not None
    server.receive(alert)
    assert server.ignored == 1


def test_a_repeated_hello_gets_the_same_flight_again_without_waiting_for_a_timer() -> None:
    now_s = 0.0
    client, server = pair(OURS, THEIRS, clock=lambda: now_s)
    client.start()
    [hello] = client.take_outgoing()
    server.receive(hello)
    [lost] = server.take_outgoing()
    repeated = hello[:10] + b"\x20" + hello[11:]  # under a new record sequence number
    server.receive(repeated)
    assert server.take_outgoing() == []
    now_s = 0.1
    server.receive(repeated)
    assert server.take_outgoing() == [lost]
    client.receive(lost)
    talk(client, server)
    assert server.state is DtlsState.CONNECTED


def test_a_repeated_finished_gets_the_last_flight_again_but_not_for_ever() -> None:
    now_s = 0.0
    client, server = pair(OURS, THEIRS, clock=lambda: now_s)
    client.start()
    server.receive(client.take_outgoing()[0])
    client.receive(server.take_outgoing()[0])
    [finished] = client.take_outgoing()
    server.receive(finished)
    [last] = server.take_outgoing()
    answers = []
    for step in range(1000):
        now_s = step / 64
        server.receive(finished)
        answers.append(server.take_outgoing())
    sent_at = [step for step, answer in enumerate(answers) if answer]
    assert all(answer in ([], [last]) for answer in answers)
    assert sent_at == [7 * n for n in range(1, 13)]  # the first whole 64th after each 100 ms
    assert not server.peer_closing
    client.receive(last)
    assert client.state is DtlsState.CONNECTED
    client.receive(last)
    assert client.take_outgoing() == []  # or the two would never stop


def test_nothing_is_repeated_when_nothing_is_lost_however_long_the_way() -> None:
    now_s = itertools.count()
    client, server = pair(OURS, THEIRS, mtu=300, clock=lambda: float(next(now_s)))
    carried = talk(client, server)
    assert client.state is server.state is DtlsState.CONNECTED
    assert len(set(carried)) == len(carried)


@pytest.mark.parametrize("content_type", [dtls_records.ALERT, dtls_records.APPLICATION_DATA])
def test_what_a_connected_peer_says_last_means_that_it_leaves(content_type: int) -> None:
    client, server = pair(OURS, THEIRS)
    talk(client, server)
    server.receive(record(dtls_records.CHANGE_CIPHER_SPEC, b"\x01"))
    server.receive(record(dtls_records.HANDSHAKE, bytes(40)))
    assert not server.peer_closing
    server.receive(record(content_type, bytes(26), epoch=1))
    assert server.peer_closing
    assert server.state is DtlsState.CONNECTED


def test_closing_a_connected_association_says_goodbye() -> None:
    connection = SSL.Connection(THEIRS.context, None)
    connection.set_connect_state()
    connection.set_ciphertext_mtu(1200)
    server = DtlsAssociation(OURS, client=False, remote_fingerprints=fingerprints(THEIRS))
    while server.state is not DtlsState.CONNECTED:
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()
        server.receive(connection.bio_read(4096))
        for datagram in server.take_outgoing():
            connection.bio_write(datagram)
    connection.do_handshake()
    server.close()
    [farewell] = server.take_outgoing()
    connection.bio_write(farewell)
    with pytest.raises(SSL.ZeroReturnError):
        connection.recv(100)
    server.close()
    assert server.take_outgoing() == []


def test_openssls_state_goes_when_the_handshake_is_over() -> None:
    def connections() -> int:
        gc.collect()
        return sum(isinstance(thing, SSL.Connection) for thing in gc.get_objects())

    before = connections()
    client, server = pair(OURS, THEIRS)
    assert connections() == before + 2
    talk(client, server)
    refused, refusing = pair(OURS, foreign_certificate(profiles=b""))
    talk(refused, refusing)
    assert refusing.state is DtlsState.FAILED
    assert connections() == before


def with_fingerprints(offered: list[tuple[str, str]]) -> tuple[DtlsAssociation, DtlsAssociation]:
    """A client that presents THEIRS, and a server that was told these fingerprints."""
    client, _ = pair(OURS, THEIRS)
    return client, DtlsAssociation(OURS, client=False, remote_fingerprints=offered)


def digest(certificate: Certificate, algorithm: str) -> str:
    shown = SSL.Connection(certificate.context, None).get_certificate()
    assert shown is not None
    der = crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)
    return hashlib.new(algorithm.lower().replace("-", ""), der).digest().hex(":")


def test_a_datagram_of_very_many_records_is_ignored() -> None:
    client, server = pair(OURS, THEIRS)
    client.start()
    (hello,) = client.take_outgoing()
    server.receive(hello + dtls_record(dtls_records.ALERT, epoch=1, body=b"") * dtls_records.MAX_RECORDS)
    assert (server.ignored, server.take_outgoing()) == (1, [])
    server.receive(hello)
    assert server.take_outgoing()


@pytest.mark.parametrize("connected", [False, True])
def test_a_client_hello_with_another_random_is_no_repeat(connected: bool) -> None:
    """RFC 6347 section 4.2.8: a flight of the old handshake, sent as the answer, would stop the new one for good."""
    clock_s = itertools.count(step=1.0)
    server = DtlsAssociation(OURS, client=False, remote_fingerprints=fingerprints(THEIRS), clock=lambda: next(clock_s))
    first, second = (DtlsAssociation(THEIRS, client=True, remote_fingerprints=fingerprints(OURS)) for _ in range(2))
    for client in (first, second):
        client.start()
    [hello], [other] = first.take_outgoing(), second.take_outgoing()
    server.receive(hello)
    if connected:
        first.receive(server.take_outgoing()[0])
        talk(first, server)
        assert server.state is DtlsState.CONNECTED
    server.take_outgoing()
    server.receive(other)
    assert server.take_outgoing() == []
    server.receive(hello)
    assert server.take_outgoing() != [], "the old client's is"
