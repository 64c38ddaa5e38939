"""Calls over TCP, for people whose network blocks UDP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# Nothing but loopback, and no UDP on it.
NETWORK = """
set -e
ip link set lo up
for tables in iptables ip6tables; do
    $tables -A OUTPUT -p udp -j DROP
    $tables -A INPUT -p udp -j DROP
done
exec "$@"
"""


def test_a_call_is_whole_where_udp_is_blocked() -> None:
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    inside = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "calls_without_udp.py")]
    done = subprocess.run(
        ["unshare", *as_root, "--net", "sh", "-c", NETWORK, "sh", *inside],
        cwd=HERE.parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout, done.stdout
