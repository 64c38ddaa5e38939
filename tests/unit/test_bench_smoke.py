"""bench.fanout at its smallest: it runs, it says what it should, and what it forwards is right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--subscribers=20", "--rounds=2", "--packets=400", "--verify-subscribers=3")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.fanout", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("profile", ["gcm128", "cm80"])
def test_fanout_loses_nothing_decrypts_and_tells_all_it_measures(profile: str) -> None:
    done = run("--json", "--k=4", f"--profile={profile}", *SMALL)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["subscribers"] == 20
    assert figures["k"] == 4
    assert figures["packets_sent"] == figures["packets_expected"] == 2 * 400
    assert figures["loss"] == 0
    assert figures["floor_packets_per_message"] == 4
    assert 3 < figures["packets_per_message"] <= 4  # the RTCP in between is not in runs
    for measured in ("cpu_ns_per_packet", "floor_ns_per_packet", "ratio_to_floor", "packets_per_cpu_second"):
        assert figures[measured] > 0
    parts = figures["user_ns_per_packet"] + figures["system_ns_per_packet"]
    assert parts == pytest.approx(figures["cpu_ns_per_packet"])
    verified = figures["verified"]
    assert verified["packets_received"] == verified["packets_expected"] == 3 * 800
    assert verified["packets_compared"] == 3 * 8


def test_fanout_prints_the_same_for_people() -> None:
    done = run(*SMALL)
    assert done.returncode == 0, done.stderr
    for line in ("CPU per forwarded packet", "ratio to the floor", "memory per subscriber", "decrypted and compared"):
        assert line in done.stdout


def test_fanout_refuses_what_it_cannot_measure() -> None:
    done = run("--k=60")
    assert done.returncode == 2
    assert "--k goes from 1 to" in done.stderr
