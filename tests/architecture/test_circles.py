"""No Python module imports itself through others: a circle of imports has no module to start reading from."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The import name of each folder.
PACKAGES = {
    "fanwire.control": ROOT / "control",
    "fanwire.fastpath": ROOT / "fastpath",
    "bench": ROOT / "bench",
    "ci.support": ROOT / "ci" / "support",
}


def modules(package: str, folder: Path) -> dict[str, Path]:
    """The modules in a package by their full names. Of a Cython module the stub counts."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".pyi")]
    assert found
    return {".".join((package, *path.relative_to(folder).with_suffix("").parts)): path for path in found}


def imports(module: str, path: Path) -> set[str]:
    """The full names of all that a module imports anywhere: in functions, and for type checkers alone, as well."""
    parents = module.split(".")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: -node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
    return found


def graph(packages: dict[str, Path]) -> dict[str, set[str]]:
    """For each module the other modules that it imports."""
    every = {name: path for package, folder in packages.items() for name, path in modules(package, folder).items()}
    return {name: imports(name, path) & set(every) for name, path in every.items()}


def check(edges: dict[str, set[str]]) -> None:
    """Raises graphlib.CycleError, which names the modules of a circle."""
    graphlib.TopologicalSorter(edges).prepare()


def test_no_python_modules_import_each_other_in_a_circle() -> None:
    edges = graph(PACKAGES)
    assert "fanwire.control.media.fastpath" in edges["fanwire.control.media.engine"]
    assert "fanwire.fastpath.messages" in edges["fanwire.control.media.fastpath"]
    assert "ci.support.scenario.world" in edges["ci.support.scenario.viewer"] | edges["ci.support.scenario.caller"]
    check(edges)


def test_a_circle_is_found_wherever_in_a_file_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "low.py").write_text("def late():\n    from .inner import top\n")
    (tmp_path / "inner" / "top.py").write_text("from ..low import late\n")
    with pytest.raises(graphlib.CycleError, match=r"planted\.low"):
        check(graph({"planted": tmp_path}))
    (tmp_path / "low.py").write_text("import planted.inner.other\n")
    check(graph({"planted": tmp_path}))
