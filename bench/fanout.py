"""Measures what it costs to forward one stream to many subscribers: `python -m bench.fanout --help`."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence

from .options import parse
from .rounds import measure

DESCRIPTION = """Forwards one made-up VP8 stream to many subscribers through a real worker and real sockets, and in
turn sends the same packets to the same addresses without rewriting and encrypting them (the floor). What counts is CPU
time of the thread that does it, the kernel's part included. Exit status 1: packets were lost."""
SPARE_FILES = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options, as_json = parse(DESCRIPTION, arguments)
    _allow_files(max(options.subscribers, options.verify_subscribers) + SPARE_FILES)
    figures = measure(options)
    print(figures.json() if as_json else figures.text())
    verified = figures.verified
    lost = figures.packets_expected - figures.packets_sent + verified.packets_expected - verified.packets_received
    return 1 if lost else 0


def _allow_files(count: int) -> None:
    """Raises the limit on open files to `count`, one for each subscriber, where it is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))


if __name__ == "__main__":
    sys.exit(main())
