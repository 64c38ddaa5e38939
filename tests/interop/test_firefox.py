"""Calls between Firefox and Chromium, in a network where Firefox can make calls over loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.support.network import run_alone

# Firefox offers the address that its packets to the world would have.
WORLD_ON_LOOPBACK = "ip route add default dev lo src 127.0.0.1"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(490)
def test_firefox_publishes_and_watches() -> None:
    run_alone(Path(__file__).with_name("firefox_calls.py"), WORLD_ON_LOOPBACK, timeout_s=480)
