"""How figures are printed: in lines for people, or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = tuple[str, str, str]  # what, how much, a note


def as_json(figures: DataclassInstance, **more: Any) -> str:
    """All fields in one object, those of a field `options` among them, and `more`."""
    fields = dataclasses.asdict(figures)
    return json.dumps({**fields.pop("options", {}), **fields, **more}, indent=2)


def as_text(machine: str, head: str, rows: Sequence[Row]) -> str:
    """The machine, what was measured, and a line for each row."""
    lines = (f"  {name:26}{value:>10}  {note}".rstrip() for name, value, note in rows)
    return "\n".join([machine, head, *lines])
