"""The command line of every benchmark: options from a dataclass, figures as text or JSON."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from . import backend
from .printing import as_json


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Options(Dataclass, Protocol):
    """The options of a benchmark: a frozen dataclass whose fields are made by `option`."""

    @property
    def backend(self) -> str: ...

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        ...


class Figures(Dataclass, Protocol):
    """The results of a benchmark: a frozen dataclass."""

    @property
    def failed(self) -> bool:
        """Whether packets were lost, so that the figures are not valid."""
        ...

    def text(self) -> str:
        """The figures as text."""
        ...


Asked = TypeVar("Asked", bound=Options)


def option(default: Any, what: str, choices: Iterable[str] | None = None) -> Any:
    """A field of a benchmark's options. Its type, on the command line, is that of the default."""
    return dataclasses.field(default=default, metadata={"what": what, "choices": choices})


def backend_option() -> Any:
    """The field `backend` of every benchmark."""
    return option("auto", "what encrypts", backend.NAMES)


def run(
    name: str,
    description: str,
    options: type[Asked],
    measure: Callable[[Asked, str], Figures],
    arguments: Sequence[str] | None,
) -> int:
    """Runs a benchmark with the options of the command line and prints its figures. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}", description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for field in dataclasses.fields(options):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=str if field.default is None else type(field.default),
            default=field.default,
            choices=field.metadata["choices"],
            help=field.metadata["what"],
        )
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = vars(parser.parse_args(arguments))
    json_wanted = found.pop("json")
    asked = options(**found)
    if problem := asked.problem():
        parser.error(problem)
    try:
        library = backend.choose(asked.backend)
    except backend.NoSuchBackend as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 2
    figures = measure(asked, library)
    print(as_json(figures) if json_wanted else figures.text())
    return 1 if figures.failed else 0
