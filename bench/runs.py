"""The runs of bench.check and bench.report: each is one benchmark with its options."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

TIMEOUT_S = 900


class NotMeasured(RuntimeError):
    """A benchmark failed; the text is its last line on stderr."""


@dataclass(frozen=True, slots=True)
class Run:
    """`python -m bench.<name> <options>`. Runs at the first request for a figure; the results are cached."""

    name: str
    options: str = ""

    @property
    def command(self) -> str:
        """The command line."""
        return f"python -m bench.{self.name} {self.options}".rstrip()

    def figure(self, path: str) -> Any:
        """A figure by its path in the JSON, levels separated by dots; None where a level is null.

        Raises NotMeasured, KeyError.
        """
        found = _measured(self)
        if isinstance(found, NotMeasured):
            raise found
        for name in path.split("."):
            found = None if found is None else found[name]
        return found


@cache
def _measured(run: Run) -> Any:
    """The figures, or why there are none."""
    print(f"... {run.command}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"bench.{run.name}", *run.options.split(), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return NotMeasured((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])


K8 = Run("fanout", "--backend ipsec-mb --k 8")
K4 = Run("fanout", "--backend ipsec-mb --k 4")
K8_LIBCRYPTO = Run("fanout", "--backend libcrypto --k 8")
K8_CM = Run("fanout", "--backend ipsec-mb --k 8 --profile cm80")
TWO_WORKERS = Run("fanout", "--workers 2")
LIVE_200 = Run("fanout", "--live video --subscribers 200")
LIVE_2000 = Run("fanout", "--live video --subscribers 2000")
NACK = Run("nack")
LAYERS = Run("layers")
IDLE = Run("idle")
VIEWERS_10 = Run("viewers", "--burst 10")
VIEWERS_4 = Run("viewers", "--burst 4")
VIEWERS_2000 = Run("viewers", "--viewers 2000 --burst 4 --seconds 3")
JOINS = Run("joins")
