"""Measures what it costs to forward one stream to many subscribers: `python -m bench.fanout --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import backend, live, rounds
from .options import parse
from .usage import allow_files

DESCRIPTION = """Forwards one made-up stream to many subscribers through real workers and real sockets, and in
turn sends the same packets to the same addresses without rewriting and encrypting them (the floor). What counts is CPU
time of the threads that do it, the kernel's part included. Exit status 1: packets were lost."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options, as_json = parse(DESCRIPTION, arguments)
    try:
        library = backend.choose(options.backend)
    except backend.NoSuchBackend as problem:
        print(f"bench.fanout: {problem}", file=sys.stderr)
        return 2
    sets = 1 if options.workers == 1 or options.live else 2
    allow_files(sets * options.subscribers + options.verify_subscribers)
    figures = live.measure(options, library) if options.live else rounds.measure(options, library)
    print(figures.json() if as_json else figures.text())
    return 1 if figures.lost else 0


if __name__ == "__main__":
    sys.exit(main())
