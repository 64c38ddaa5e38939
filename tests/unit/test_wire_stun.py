"""STUN against the sample messages of RFC 5769, aioice as a second implementation, and damage of every kind."""

import hashlib
import hmac
import ipaddress
import struct
import zlib

import pytest
from aioice import stun as aioice_stun
from hypothesis import given
from hypothesis import strategies as st

from ci.support.stun import binding_request
from fanwire.fastpath.testing import probes

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
SAMPLE_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
SAMPLE_IPV4_RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
SAMPLE_IPV6_RESPONSE = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
MAPPED = [(ipaddress.ip_address("192.0.2.1"), SAMPLE_IPV4_RESPONSE)]
MAPPED += [(ipaddress.ip_address("2001:db8:1234:5678:11:2233:4455:6677"), SAMPLE_IPV6_RESPONSE)]


def sign(covered: bytes) -> bytes:
    return hmac.digest(PASSWORD, covered, hashlib.sha1)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(*attributes: bytes, kind: int = 0x0001) -> bytes:
    """A message of these attributes with a right FINGERPRINT after them."""
    body = b"".join(attributes)
    head = struct.pack("!HHI", kind, len(body) + 8, 0x2112A442) + TRANSACTION
    return head + body + attribute(0x8028, struct.pack("!I", zlib.crc32(head + body) ^ 0x5354554E))


@given(st.binary())
def test_crc32_is_zlibs(data: bytes) -> None:
    assert probes.crc32(data) == zlib.crc32(data)


def test_the_sample_request_is_read_and_its_integrity_covers_the_right_bytes() -> None:
    status, stun = probes.stun_parse(SAMPLE_REQUEST)
    assert status == "ok"
    assert stun is not None
    assert stun["type"] == 0x0001
    assert stun["transaction"] == TRANSACTION
    assert stun["username"] == b"evtj:h6vY"
    assert stun["controlled"]
    assert not stun["use_candidate"]
    assert stun["unknown_type"] == 0
    assert stun["covered"] is not None
    assert stun["integrity"] == sign(stun["covered"])


@pytest.mark.parametrize(("ip", "sample"), MAPPED)
def test_the_sample_responses_are_read_and_ours_map_the_address_alike(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address, sample: bytes
) -> None:
    status, stun = probes.stun_parse(sample)
    assert status == "ok"
    assert stun is not None
    assert stun["covered"] is not None
    assert stun["integrity"] == sign(stun["covered"])
    ours = probes.stun_success(TRANSACTION, ip.packed, 32853, sign)
    mapped = struct.pack("!HH", 0x0020, 4 + len(ip.packed))
    assert ours[20 : 28 + len(ip.packed)] == sample[sample.index(mapped) :][: 8 + len(ip.packed)]


@given(st.binary(min_size=12, max_size=12), st.ip_addresses(), st.integers(0, 65535))
def test_a_success_response_is_read_back_by_another_implementation(
    transaction: bytes, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    response = aioice_stun.parse_message(probes.stun_success(transaction, ip.packed, port, sign))
    assert response.check_message_integrity(PASSWORD)
    assert response.transaction_id == transaction
    assert response.message_class == aioice_stun.Class.RESPONSE
    assert response.attributes["XOR-MAPPED-ADDRESS"] == (str(ip), port)


@pytest.mark.parametrize(("code", "unknown"), [(400, 0), (401, 0), (420, 0x7FF1), (487, 0)])
def test_an_error_response_is_read_back_by_another_implementation(code: int, unknown: int) -> None:
    data = probes.stun_error(TRANSACTION, code, unknown, sign)
    response = aioice_stun.parse_message(data)
    assert response.check_message_integrity(PASSWORD)
    assert response.message_class == aioice_stun.Class.ERROR
    assert response.attributes["ERROR-CODE"] == (code, "")
    assert (attribute(0x000A, struct.pack("!H", unknown)) in data) == bool(unknown)
    assert probes.stun_parse(data)[0] == "ok"


@given(st.binary(min_size=12, max_size=12), st.text("abc:/+", max_size=65), st.integers(0, 2**64 - 1), st.booleans())
def test_a_check_is_read_back_by_another_implementation(
    transaction: bytes, username: str, tie_breaker: int, controlling: bool
) -> None:
    data = probes.stun_request(transaction, username.encode(), tie_breaker, 77, controlling, sign)
    request = aioice_stun.parse_message(data)
    assert request.check_message_integrity(PASSWORD)
    assert request.transaction_id == transaction
    assert request.message_class == aioice_stun.Class.REQUEST
    role = "ICE-CONTROLLING" if controlling else "ICE-CONTROLLED"
    attributes = {"USERNAME": username, "PRIORITY": 77, role: tie_breaker}
    attributes |= {"USE-CANDIDATE": None} if controlling else {}
    assert attributes.items() <= request.attributes.items()
    status, stun = probes.stun_parse(data)
    assert status == "ok"
    assert stun is not None
    assert (stun["tie_breaker"], stun["controlling"], stun["use_candidate"]) == (tie_breaker, controlling, controlling)


@pytest.mark.parametrize("value", [b"", b"\0\0\2\0", b"\0\0\7\0", b"\0\0\4\x64"])
def test_an_error_code_out_of_range_is_malformed(value: bytes) -> None:
    assert probes.stun_parse(message(attribute(0x0009, value), kind=0x0111))[0] == "malformed"


def test_a_request_of_another_implementation_is_read() -> None:
    request = binding_request("here:there", PASSWORD.decode())
    status, stun = probes.stun_parse(request)
    assert status == "ok"
    assert stun is not None
    assert stun["username"] == b"here:there"
    assert stun["use_candidate"]
    assert not stun["controlled"]
    assert stun["covered"] is not None
    assert stun["integrity"] == sign(stun["covered"])


def test_only_the_first_required_attribute_that_is_unknown_is_reported() -> None:
    _, stun = probes.stun_parse(message(attribute(0xC057, b"\0" * 4), attribute(0x7FF1, b""), attribute(0x7FF2, b"")))
    assert stun is not None
    assert stun["unknown_type"] == 0x7FF1


def test_nothing_after_the_integrity_counts_but_the_fingerprint() -> None:
    late = [attribute(0x0025, b""), attribute(0x8029, b"\0" * 8), attribute(0x0006, b"late"), attribute(0x7FF1, b"")]
    status, stun = probes.stun_parse(message(attribute(0x0008, bytes(20)), *late))
    assert status == "ok"
    assert stun is not None
    assert (stun["use_candidate"], stun["controlled"], stun["username"]) == (False, False, None)
    assert stun["unknown_type"] == 0


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (message(), "ok"),
        (message(attribute(0x0008, bytes(19))), "malformed"),
        (message(attribute(0x0025, b"x")), "malformed"),
        (message(attribute(0x8029, bytes(4))), "malformed"),
        (message(attribute(0x0024, bytes(8))), "malformed"),
        (message(attribute(0x0006, bytes(513))), "malformed"),
        (message(struct.pack("!HH", 0x0006, 40))[:-8], "malformed"),
        (message()[:4] + bytes(4) + message()[8:], "malformed"),
        (message() + bytes(4), "malformed"),
        (message()[:2] + bytes(2) + message()[4:20], "no fingerprint"),
        (message(attribute(0x8028, bytes(4)))[:-8].replace(b"\0\x10!", b"\0\x08!"), "bad fingerprint"),
        (message()[:-1] + b"\0", "bad fingerprint"),
    ],
)
def test_damage_has_a_name(data: bytes, status: str) -> None:
    assert probes.stun_parse(data)[0] == status


def test_a_fingerprint_that_is_not_last_does_not_count() -> None:
    signed = message()
    data = signed[:2] + struct.pack("!H", 12) + signed[4:] + attribute(0x8022, b"")
    assert probes.stun_parse(data)[0] == "no fingerprint"


@given(st.integers(0, len(SAMPLE_REQUEST) * 8 - 1))
def test_no_flipped_bit_goes_unseen(bit: int) -> None:
    damaged = bytearray(SAMPLE_REQUEST)
    damaged[bit // 8] ^= 1 << bit % 8
    assert probes.stun_parse(bytes(damaged))[0] != "ok"


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=8), st.binary(max_size=80))
def test_any_bytes_are_answered_with_a_status(attributes: list[tuple[int, bytes]], noise: bytes) -> None:
    status, stun = probes.stun_parse(message(*(attribute(kind, value) for kind, value in attributes)))
    assert (stun is None) == (status == "malformed")
    assert probes.stun_parse(noise)[0] in probes.STUN_STATUSES.values()
    assert probes.stun_parse(SAMPLE_REQUEST[:20] + noise)[0] in probes.STUN_STATUSES.values()
