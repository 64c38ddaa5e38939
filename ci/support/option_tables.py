"""The tables of docs/configuration.md, made from the declarations; run as a script to rewrite them."""

from __future__ import annotations

import re
from pathlib import Path

from fanwire.control.config.option import Option, options_of
from fanwire.control.config.options import SECTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
_TABLE = re.compile(r"(<!-- options: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADER = "| command line | environment | TOML | meaning | allowed | default |\n|---|---|---|---|---|---|\n"


def with_tables(document: str) -> str:
    """Returns the document with up-to-date tables. Raises ValueError if a section has none."""
    names = [found[2] for found in _TABLE.finditer(document)]
    if names != list(SECTIONS):
        raise ValueError(f"{DOCUMENT.name} has the tables {names}; expected {list(SECTIONS)}")
    return _TABLE.sub(lambda found: found[1] + _table(SECTIONS[found[2]]) + found[3], document)


def _table(section: type) -> str:
    return _HEADER + "".join(_row(option) for option in options_of(section))


def _row(option: Option) -> str:
    flag = f"`{option.flag} {option.metavar}`" if option.metavar else f"`{option.flag}`"
    many = " ⁺" if option.reader.many else ""
    cells = (f"{flag}{many}", f"`{option.variable}`", f"`{option.key}`", option.help, option.reader.allowed)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, option.default)) + " |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
