"""How figures are printed: in lines for people, or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

Row = tuple[str, str, str]  # what, how much, a note


def as_json(figures: Any) -> str:
    """All fields of a dataclass in one object, those of its field `options` among them."""
    fields = dataclasses.asdict(figures)
    return json.dumps({**fields.pop("options", {}), **fields}, indent=2)


def as_text(machine: str, head: str, rows: Sequence[Row]) -> str:
    """The machine, what was measured, and a line for each row."""
    lines = (f"  {name:26}{value:>10}  {note}".rstrip() for name, value, note in rows)
    return "\n".join([machine, head, *lines])
