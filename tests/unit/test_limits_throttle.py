"""Limits on addresses: how often each may come, and whose address it is."""

from __future__ import annotations

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from fanwire.control.http.clients import client_of
from fanwire.control.http.throttle import Throttle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(per_s=st.floats(0.1, 100), burst=st.integers(1, 50), pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_a_key_gets_its_burst_and_its_rate_and_no_more(per_s: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    throttle = Throttle(per_s, burst, clock=clock)
    taken = 0
    for pause in pauses:
        clock.now += pause
        wait_s = throttle.take("a")
        taken += wait_s == 0
        if wait_s:
            assert wait_s <= 1 / per_s + 1e-6
        assert taken <= burst + (clock.now - Clock.now) * per_s + 1e-6
    assert taken >= min(burst, len(pauses))
    clock.now += throttle.wait_s("a") + 1e-6
    assert throttle.take("a") == 0
    assert throttle.wait_s("b") == 0


def test_no_more_keys_are_remembered_than_allowed_and_the_busy_ones_last() -> None:
    throttle = Throttle(0.1, 2, max_keys=3, clock=Clock())
    for i in range(1000):
        throttle.take(f"passer-by {i}")
        if i % 2 == 0 and i < 4:
            assert throttle.take("busy") == 0
    assert len(throttle._full_at) == 3


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("::ffff:192.0.2.7", [], "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["2001:db8:1:2::1"], "2001:db8:1:2::/64"),
    ],
)
def test_only_a_trusted_proxy_is_believed_and_only_its_own_word(peer: str, forwarded: list[str], client: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert client_of(request, [ipaddress.ip_network("10.0.0.0/8")]) == client
