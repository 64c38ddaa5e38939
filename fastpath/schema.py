"""Compares the classes of messages.py with the tables of the core: records, commands and enums."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Field(NamedTuple):
    """A row of a record's table. `record` names the class of nested records."""

    name: str
    kind: str
    size: int  # bytes of a number
    room: int  # elements of an array
    is_optional: bool
    record: str | None


class CommandTable(NamedTuple):
    """A command: the attribute with the id of its object, the attribute with its body, and its fields."""

    object_name: str | None
    body: str | None
    fields: tuple[Field, ...]


class Tables(NamedTuple):
    """All that the core shares with Python, by class name."""

    records: Mapping[str, tuple[Field, ...]]
    commands: Mapping[str, CommandTable]
    enums: Mapping[str, Mapping[str, int]]


def check(tables: Tables, vocabulary: Mapping[str, Any]) -> None:
    """Raise ImportError, which lists all differences between the tables and the classes of a module's namespace."""
    found = list(differences(tables, vocabulary))
    if found:
        raise ImportError("fastpath/messages.py and the compiled core differ; build anew: " + "; ".join(found))


def differences(tables: Tables, vocabulary: Mapping[str, Any]) -> Iterator[str]:
    """Each difference between the tables and the classes of a module's namespace, in words."""
    for name, values in tables.enums.items():
        yield from _differences_of_enum(name, values, vocabulary.get(name))
    for name, fields in tables.records.items():
        yield from _differences_of_class(name, fields, tables, vocabulary)
    for name, command in tables.commands.items():
        ids = [Field(command.object_name, "id", 8, 1, False, None)] if command.object_name else []
        bodies = [Field(command.body, "body", 1, 0, False, None)] if command.body else []
        yield from _differences_of_class(name, (*ids, *command.fields, *bodies), tables, vocabulary)
    in_python = {cls.__name__ for cls in typing.get_args(vocabulary["Command"])}
    yield from _differences_of_names("Command", set(tables.commands), in_python)


def attributes(cls: type) -> dict[str, Any]:
    """The types of a message's fields by name, in their order, without those that are python_only."""
    hints = typing.get_type_hints(cls)
    if dataclasses.is_dataclass(cls):
        return {f.name: hints[f.name] for f in dataclasses.fields(cls) if not f.metadata.get("python_only")}
    return hints


def _differences_of_names(owner: str, in_c: set[str], in_python: set[str]) -> Iterator[str]:
    for name in sorted(in_c - in_python):
        yield f"{owner}: {name} is missing in Python"
    for name in sorted(in_python - in_c):
        yield f"{owner}: {name} is missing in C"


def _differences_of_enum(name: str, values: Mapping[str, int], cls: Any) -> Iterator[str]:
    if not (isinstance(cls, type) and issubclass(cls, enum.IntEnum)):
        yield f"{name} is not an IntEnum of Python"
        return
    yield from _differences_of_names(name, set(values), set(cls.__members__))
    for item in cls:
        if values.get(item.name, item.value) != item.value:
            yield f"{name}.{item.name} is {item.value} in Python and {values[item.name]} in C"


def _differences_of_class(
    name: str, fields: tuple[Field, ...], tables: Tables, vocabulary: Mapping[str, Any]
) -> Iterator[str]:
    cls = vocabulary.get(name)
    if not isinstance(cls, type):
        yield f"{name} is not a class of Python"
        return
    in_python = attributes(cls)
    yield from _differences_of_names(name, {field.name for field in fields}, set(in_python))
    for field in fields:
        if field.name in in_python and not _fits(field, in_python[field.name], tables):
            yield f"{name}.{field.name} is {in_python[field.name]} in Python and {_words(field)} in C"


def _words(field: Field) -> str:
    parts = ["optional" if field.is_optional else "", field.kind, field.record or ""]
    return " ".join([*filter(None, parts), f"of {field.size} bytes, room for {field.room}"])


def _fits(field: Field, hint: Any, tables: Tables) -> bool:
    """Whether a field of C holds the values of a type of Python."""
    match field.kind:
        case "id":
            return hint is int
        case "number":
            return _number_fits(field, hint, tables)
        case "fraction":
            return hint is float
        case "set":
            return _is_set_of_enum(hint, tables)
        case "flag":
            return hint is bool
        case "text":
            return hint is str
        case "bytes" | "body":
            return hint is bytes
        case "list":
            return _is_tuple_of(hint) and typing.get_args(hint)[0].__name__ == field.record
        case "optionals":
            return _is_tuple_of(hint) and bool(typing.get_args(hint)[0] == int | None)
        case "map":
            return _map_fits(field, hint, tables)
        case "record":
            return isinstance(hint, type) and hint.__name__ == field.record
        case "address":
            return bool(hint == tuple[str, int])
        case "path":
            return _without_none(hint) is not hint
    return False


def _without_none(hint: Any) -> Any:
    """The type T of `T | None`; another type as it is."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    others = [item for item in typing.get_args(hint) if item is not type(None)]
    return others[0] if len(others) == 1 else hint


def _is_tuple_of(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and typing.get_args(hint)[1:] == (...,)


def _number_fits(field: Field, hint: Any, tables: Tables) -> bool:
    base = _without_none(hint)
    if field.is_optional != (base is not hint) or not isinstance(base, type) or not issubclass(base, int):
        return False
    if not issubclass(base, enum.IntEnum):
        return True
    return base.__name__ in tables.enums and all(0 <= item < 1 << 8 * field.size for item in base)


def _is_set_of_enum(hint: Any, tables: Tables) -> bool:
    return typing.get_origin(hint) is frozenset and typing.get_args(hint)[0].__name__ in tables.enums


def _map_fits(field: Field, hint: Any, tables: Tables) -> bool:
    if typing.get_origin(hint) is not Mapping or typing.get_args(hint)[1] is not int:
        return False
    keys = typing.get_args(hint)[0]
    return keys.__name__ in tables.enums and {int(item) for item in keys} == set(range(field.room))
