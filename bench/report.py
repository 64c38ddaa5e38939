"""Remakes the figures of docs/performance.md: `python -m bench.report --help`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from .plots import draw_all
from .tables import TABLES
from .usage import machine

DESCRIPTION = """Runs every benchmark and writes what it finds into docs/performance.md, between the marks that
name each table, and into docs/plots. Takes some ten minutes; let the machine do nothing else meanwhile."""
DOCS = Path(__file__).resolve().parents[1] / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=DESCRIPTION)
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of performance.md and plots/")
    docs = parser.parse_args(arguments).docs
    tables = {"machine": machine(), **{table.name: table.text() for table in TABLES}}
    draw_all(docs / "plots")
    page = docs / "performance.md"
    text = page.read_text()
    for name, content in tables.items():
        text = fill(text, name, content)
    page.write_text(text)
    return 0


def fill(text: str, name: str, content: str) -> str:
    """Replaces what stands between the marks of that name. Raises ValueError where they are missing."""
    marks = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    filled, count = marks.subn(lambda found: f"{found[1]}{content}\n{found[2]}", text)
    if count != 1:
        raise ValueError(
            f"the page has {count} places for {name}: it needs one, from <!-- bench: {name} --> to <!-- end -->"
        )
    return filled


if __name__ == "__main__":
    sys.exit(main())
