"""Runs test files in a network namespace of their own, with only a loopback interface."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_alone(tests: Path, setup: str, timeout_s: float) -> None:
    """Runs a file of tests after the shell commands of `setup`. Raises AssertionError if a test fails."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    network = f'set -e\nip link set lo up\n{setup}\nexec "$@"'
    inside = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(
        ["unshare", *as_root, "--net", "sh", "-c", network, "sh", *inside],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, done.stdout
