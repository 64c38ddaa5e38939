"""SRTP by each backend, held against libsrtp: the same bytes out, the same verdicts in."""

from __future__ import annotations

import random

import pylibsrtp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.support.libsrtp import WINDOW
from ci.support.srtp import ciphers, master_key, oracle, rtcp_packet, rtp_header, served
from fanwire.fastpath.messages import SrtpProfile
from fanwire.fastpath.testing.protection import Srtp, protect

pytestmark = pytest.mark.parametrize("name", served())
profiles = pytest.mark.parametrize("profile", list(SrtpProfile))


def ours(name: str, profile: SrtpProfile, seed: int = 7) -> Srtp:
    """Sends with the key that it also expects."""
    key = master_key(profile, seed)
    return Srtp(ciphers(name), profile, key, key)


@profiles
def test_every_payload_length_gives_libsrtps_bytes_and_comes_back(name: str, profile: SrtpProfile) -> None:
    sender, receiver = ours(name, profile), oracle(profile, master_key(profile), inbound=False)
    chance = random.Random(1)
    payloads = [chance.randbytes(length) for length in range(1401)]
    headers = [rtp_header(seq) for seq in range(1401)]
    sent = protect([(sender, headers[i], payloads[i][:9], payloads[i][9:], 0, i) for i in range(1401)])
    for i, packet in enumerate(sent):
        assert packet == receiver.protect(headers[i] + payloads[i])
        assert sender.unprotect(packet) == ("ok", headers[i] + payloads[i])


@profiles
def test_every_compound_length_gives_libsrtps_bytes_and_comes_back(name: str, profile: SrtpProfile) -> None:
    sender, receiver = ours(name, profile), oracle(profile, master_key(profile), inbound=False)
    for size in range(8, 1401, 4):
        packet = sender.protect_rtcp(rtcp_packet(size))
        assert packet is not None
        assert packet == receiver.protect_rtcp(rtcp_packet(size))
        assert sender.unprotect_rtcp(packet) == ("ok", rtcp_packet(size))
        assert sender.unprotect_rtcp(packet) == ("replayed", b"")


@settings(max_examples=40)
@given(st.data())
def test_packets_of_many_contexts_are_protected_together_as_alone(name: str, data: st.DataObject) -> None:
    contexts = [(profile, seed) for profile in SrtpProfile for seed in (3, 5, 7)]
    senders = {of: ours(name, *of) for of in contexts}
    receivers = {of: oracle(of[0], master_key(*of), inbound=True) for of in contexts}
    jobs, clear = [], []
    for index in range(data.draw(st.integers(1, 70))):
        of = data.draw(st.sampled_from(contexts))
        prefix, body = data.draw(st.binary(max_size=12)), data.draw(st.binary(max_size=300))
        padding = data.draw(st.integers(0, 20))
        header = rtp_header(index, padded=padding > 0)
        jobs.append((senders[of], header, prefix, body, padding, index))
        tail = bytes(padding - 1) + bytes([padding]) if padding else b""
        clear.append((of, header + prefix + body + tail))
    for packet, (of, expected) in zip(protect(jobs), clear, strict=True):
        assert packet is not None
        assert receivers[of].unprotect(packet) == expected


@profiles
def test_numbers_turn_over_as_libsrtps_do(name: str, profile: SrtpProfile) -> None:
    sender, receiver = ours(name, profile), oracle(profile, master_key(profile), inbound=False)
    for index in range(65_000, 200_000, 97):
        (packet,) = protect([(sender, rtp_header(index & 0xFFFF), b"", b"x" * 20, 0, index)])
        assert packet is not None
        if index > 65_000:  # libsrtp starts in the first turn, wherever it starts
            assert packet == receiver.protect(rtp_header(index & 0xFFFF) + b"x" * 20)
        else:
            receiver.protect(rtp_header(index & 0xFFFF) + b"x" * 20)
        assert sender.unprotect(packet)[0] == "ok"
    assert protect([(sender, rtp_header(0), b"", b"", 0, 1 << 48)]) == [None]


def verdict(session: pylibsrtp.Session, packet: bytes) -> str:
    try:
        session.unprotect(packet)
    except pylibsrtp.Error as error:
        return "replayed" if "replay" in str(error) else "forged"
    return "ok"


@settings(max_examples=60)
@given(
    profile=st.sampled_from(list(SrtpProfile)),
    start=st.sampled_from([1, 3000, 40_000, 65_000]),
    steps=st.lists(st.integers(-1500, 400), min_size=1, max_size=80),
)
def test_late_and_repeated_packets_get_libsrtps_verdict(
    name: str, profile: SrtpProfile, start: int, steps: list[int]
) -> None:
    sender, receiver = ours(name, profile), oracle(profile, master_key(profile), inbound=True)
    highest = start
    for step in [0, *steps]:
        index = max(start, highest + step)
        highest = max(highest, index)
        (packet,) = protect([(sender, rtp_header(index & 0xFFFF), b"", b"payload", 0, index)])
        assert packet is not None
        status, clear = sender.unprotect(packet)
        assert status == verdict(receiver, packet)
        assert clear == (rtp_header(index & 0xFFFF) + b"payload" if status == "ok" else b"")
        if index <= highest - WINDOW:
            assert status == "replayed"


@profiles
def test_whatever_was_changed_on_the_way_is_refused_and_changes_nothing(name: str, profile: SrtpProfile) -> None:
    sender, receiver = ours(name, profile), ours(name, profile)
    chance = random.Random(2)
    (packet,) = protect([(sender, rtp_header(5), b"ab", chance.randbytes(50), 0, 5)])
    compound = sender.protect_rtcp(rtcp_packet(40))
    assert packet is not None
    assert compound is not None
    before = receiver.memory_bytes
    for whole, take in ((packet, receiver.unprotect), (compound, receiver.unprotect_rtcp)):
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 1 << chance.randrange(8)
            assert take(bytes(changed))[0] in ("forged", "failed")
        for length in range(len(whole)):
            assert take(whole[:length])[0] in ("forged", "failed")
    assert receiver.memory_bytes == before
    assert receiver.unprotect(packet)[0] == "ok"
    assert receiver.unprotect_rtcp(compound)[0] == "ok"
