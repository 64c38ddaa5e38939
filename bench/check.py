"""Holds this machine's figures against the bounds: `python -m bench.check --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .bounds import BOUNDS, Bound
from .runs import NotMeasured
from .usage import machine

DESCRIPTION = """Runs the benchmarks and says pass or fail by the bounds of bench/bounds.py, the goals beside them.
Takes several minutes, and means something on a machine with two cores that does nothing else. Exit status 1: something
failed or could not be measured."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one bound; `measured` is None where it could not be, and `why` tells the reason."""

    bound: Bound
    measured: float | None
    why: str = ""

    @property
    def passed(self) -> bool:
        return self.measured is not None and self.measured <= self.bound.at_most

    def text(self) -> str:
        """One line."""
        bound = self.bound
        found = "not measured" if self.measured is None else f"{self.measured:.4g} {bound.unit}".rstrip()
        goal = "" if bound.goal is None else f"goal {bound.goal:g}"
        limit = f"at most {bound.at_most:g} {bound.unit}".rstrip()
        line = f"{'pass' if self.passed else 'FAIL'}  {bound.what:40}{found:>16}  {limit:20}{goal}".rstrip()
        return f"{line}\n      {bound.run.command}: {self.why}" if self.why else line


def judge(bound: Bound) -> Verdict:
    """Runs what the bound is about, unless it has been run."""
    try:
        return Verdict(bound, bound.run.figure(bound.figure) * bound.scale)
    except NotMeasured as problem:
        return Verdict(bound, None, str(problem))


def judge_all(bounds: Iterable[Bound]) -> bool:
    """Prints every verdict. Whether all passed."""
    verdicts = []
    for bound in bounds:
        verdicts.append(judge(bound))
        print(verdicts[-1].text(), flush=True)
    failed = sum(not verdict.passed for verdict in verdicts)
    print(f"{len(verdicts) - failed} of {len(verdicts)} passed")
    return failed == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.check", description=DESCRIPTION)
    parser.add_argument("--only", default="", metavar="TEXT", help="bounds whose name or command has this in it")
    only = parser.parse_args(arguments).only.lower()
    bounds = [bound for bound in BOUNDS if only in f"{bound.what} {bound.run.command}".lower()]
    if not bounds:
        parser.error(f"no bound has {only!r} in it; there are: {'; '.join(bound.what for bound in BOUNDS)}")
    print(machine())
    return 0 if judge_all(bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
