"""ICE: credentials that cannot be guessed, and candidates at which the sockets can be reached."""

from __future__ import annotations

import ipaddress
import re
import socket

import aioice
import pytest
from aioice.candidate import candidate_priority

from fanwire.control.session import ice


def test_credentials_are_long_enough_and_new_every_time() -> None:
    made = [ice.new_credentials() for _ in range(100)]
    assert all(re.fullmatch(r"[A-Za-z0-9]{8}", ufrag) and re.fullmatch(r"[A-Za-z0-9]{32}", pwd) for ufrag, pwd in made)
    assert len({text for credentials in made for text in credentials}) == 200


def test_another_ice_agent_reads_our_candidates_in_our_order() -> None:
    addresses = [("192.0.2.1", 7800), ("2001:db8::1", 7800), ("192.0.2.1", 7801), ("198.51.100.7", 7800)]
    lines = ice.host_candidates(addresses)
    read = [aioice.Candidate.from_sdp(line.removeprefix("candidate:")) for line in lines]
    assert [(candidate.host, candidate.port) for candidate in read] == addresses
    assert {(candidate.component, candidate.transport, candidate.type) for candidate in read} == {(1, "udp", "host")}
    priorities = [candidate.priority for candidate in read]
    assert priorities[0] == candidate_priority(1, "host")
    assert priorities == sorted(set(priorities), reverse=True)
    assert read[0].foundation == read[2].foundation
    assert len({candidate.foundation for candidate in read}) == 3


def test_tcp_candidates_wait_to_be_connected_to_and_come_after_udp() -> None:
    udp = [("192.0.2.1", 7800), ("2001:db8::1", 7800)]
    tcp = [("192.0.2.1", 7800), ("192.0.2.1", 443)]
    lines = ice.host_candidates(udp, tcp)
    assert lines[:2] == ice.host_candidates(udp)
    read = [aioice.Candidate.from_sdp(line.removeprefix("candidate:")) for line in lines]
    assert [(candidate.transport, candidate.tcptype) for candidate in read[2:]] == [("tcp", "passive")] * 2
    assert [(candidate.host, candidate.port) for candidate in read[2:]] == tcp
    priorities = [candidate.priority for candidate in read]
    assert priorities == sorted(set(priorities), reverse=True)
    assert read[2].foundation == read[3].foundation != read[0].foundation


def test_local_addresses_can_be_bound_and_are_of_use_to_others() -> None:
    everything = ice.local_addresses(loopback=True)
    assert "127.0.0.1" in everything
    for text in everything:
        address = ipaddress.ip_address(text)
        assert not address.is_link_local
        with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind((text, 0))
    assert ice.local_addresses() == [text for text in everything if not ipaddress.ip_address(text).is_loopback]


def test_wildcards_become_the_local_addresses_of_their_family(monkeypatch: pytest.MonkeyPatch) -> None:
    local = ["192.0.2.1", "2001:db8::1", "198.51.100.7"]
    monkeypatch.setattr(ice, "local_addresses", lambda *, loopback=False: ["127.0.0.1"] * loopback + local)
    assert ice.candidate_addresses([("0.0.0.0", 7800), ("::", 7801)]) == [
        ("192.0.2.1", 7800),
        ("198.51.100.7", 7800),
        ("2001:db8::1", 7801),
    ]
    assert ice.candidate_addresses([("198.51.100.7", 9), ("0.0.0.0", 9), ("127.0.0.1", 9)]) == [
        ("198.51.100.7", 9),
        ("192.0.2.1", 9),
        ("127.0.0.1", 9),
    ]


def test_a_machine_with_nothing_but_loopback_offers_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "local_addresses", lambda *, loopback=False: ["127.0.0.1", "::1"] if loopback else [])
    assert ice.candidate_addresses([("0.0.0.0", 7800)]) == [("127.0.0.1", 7800)]


def test_announced_addresses_replace_all_others() -> None:
    bound = [("0.0.0.0", 7800), ("10.0.0.5", 7900), ("::", 7801)]
    assert ice.candidate_addresses(bound, ["203.0.113.9", "2001:db8::9"]) == [
        ("203.0.113.9", 7800),
        ("203.0.113.9", 7900),
        ("2001:db8::9", 7801),
    ]
    with pytest.raises(ValueError, match=r"10\.0\.0\.5 port 7900, announcing 2001:db8::9"):
        ice.candidate_addresses([("10.0.0.5", 7900)], ["2001:db8::9"])


def test_candidates_are_found_anew_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, addresses = [100.0], ["198.51.100.7"]
    monkeypatch.setattr(ice, "local_addresses", lambda *, loopback=False: addresses)
    candidates = ice.HostCandidates(clock=lambda: now_s[0])
    bound = [("0.0.0.0", 7800)]
    first = candidates.of(bound, bound)
    assert first == ice.host_candidates([("198.51.100.7", 7800)], [("198.51.100.7", 7800)])
    addresses[:] = ["203.0.113.9"]
    assert candidates.of(bound, bound) == first
    assert "203.0.113.9" in candidates.of(bound, [])[0]
    now_s[0] += 10
    assert candidates.of(bound, bound) == ice.host_candidates([("203.0.113.9", 7800)], [("203.0.113.9", 7800)])
