"""An option of the server as a dataclass field: the field holds the value, its metadata holds the declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar

from .values import Reader, show_value

ENVIRONMENT_PREFIX = "FANWIRE_"

T = TypeVar("T")
_NOT_GIVEN: Any = MISSING


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--max-rooms` on the command line, FANWIRE_MAX_ROOMS in the environment, `max_rooms` in TOML."""

    key: str
    reader: Reader[object]
    metavar: str  # empty for a flag, which takes no value on the command line
    help: str
    default: str  # as text for the help and the documentation
    secret: bool  # the value is never printed, not even in the message that refuses it

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return ENVIRONMENT_PREFIX + self.key.upper()


@dataclass(frozen=True, slots=True)
class _Declaration:
    reader: Reader[object]
    metavar: str
    help: str
    default_text: str
    secret: bool


def option(
    reader: Reader[T],
    metavar: str,
    help: str,  # noqa: A002
    *,
    default: T = _NOT_GIVEN,
    default_factory: Callable[[], T] | None = None,
    default_text: str = "",
    secret: bool = False,
) -> T:
    """Declares a field of a section as an option. The field's name is the option's key.

    `reader` checks and converts the value. An option without a default is computed when the configuration is loaded,
    and `default_text` says how.
    """
    metadata = {"option": _Declaration(reader, metavar, help, default_text, secret)}
    if default_factory is not None:
        return field(default_factory=default_factory, repr=not secret, metadata=metadata)
    return field(default=default, repr=not secret, metadata=metadata)


def options_of(section: type) -> Iterator[Option]:
    """The options that a section (a dataclass) declares, in the order of its fields."""
    for declared in fields(section):
        declaration: _Declaration = declared.metadata["option"]
        yield Option(
            declared.name,
            declaration.reader,
            declaration.metavar,
            declaration.help,
            declaration.default_text or _default_text(declared),
            declaration.secret,
        )


def _default_text(declared: Field[Any]) -> str:
    if declared.default is MISSING:
        raise TypeError(f"{declared.name}: an option without a default needs a default_text")
    return show_value(declared.default)
