"""Calls over TCP, for people whose network blocks UDP."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.support.network import run_alone

WITHOUT_UDP = """
for tables in iptables ip6tables; do
    $tables -A OUTPUT -p udp -j DROP
    $tables -A INPUT -p udp -j DROP
done
"""


@pytest.mark.browser
def test_a_call_is_whole_where_udp_is_blocked() -> None:
    run_alone(Path(__file__).with_name("calls_without_udp.py"), WITHOUT_UDP, timeout_s=110)
