"""Measures what it costs to forward one stream to many subscribers: `python -m bench.fanout --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import live, trials
from .command import run
from .figures import Figures
from .live import LiveFigures
from .options import Options
from .usage import allow_files

DESCRIPTION = """Forwards one made-up stream to many subscribers through real workers and real sockets, and in
turn sends the same packets to the same addresses without rewriting and encrypting them (the floor). What counts is CPU
time of the threads that do it, the kernel's part included. Exit status 1: packets were lost."""


def measure(options: Options, backend: str) -> Figures | LiveFigures:
    """Takes some ten seconds."""
    sets = 1 if options.workers == 1 or options.live else 2
    allow_files(sets * options.subscribers + options.verify_subscribers)
    return live.measure(options, backend) if options.live else trials.measure(options, backend)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.fanout", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
