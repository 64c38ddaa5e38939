"""The layering, read from the sources: who may import whom, and how large a file may grow."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 600
MAX_SEAM_METHODS = 15

# Each layer of control/ may import the ones after it.
LAYERS = (
    "__main__",
    "app",
    "doctor",
    "load",
    "startup",
    "http",
    "rooms",
    "session",
    "media",
    "config",
)

# All that sans-IO code needs of the system: no sockets, no clock, no threads.
PURE_HEADERS = {
    *("assert.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h"),
    *("stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h"),
}
EXTRA_HEADERS = {"crypto": {"dlfcn.h"}}

SEAM = ROOT / "control/media/engine.py"
IMPORTER_OF_FAST_PATH = "fanwire.control.media.fastpath"


def sources(*suffixes: str, folders: tuple[str, ...] = ("control", "fastpath")) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.suffix in suffixes]
    assert found
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("fanwire", *parts)).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The full names of all that `path` imports, wherever in the file it does so."""
    package = ["fanwire", *path.relative_to(ROOT).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found


def layer(module: str) -> str | None:
    names = module.split(".")
    return names[2] if names[:2] == ["fanwire", "control"] and len(names) > 2 and names[2] in LAYERS else None


def test_control_imports_downwards_only() -> None:
    upwards = [
        f"{module_name(path)} imports {name}"
        for path in sources(".py", folders=("control",))
        if (here := layer(module_name(path)))
        for name in imports(path)
        if (there := layer(name)) and LAYERS.index(there) < LAYERS.index(here)
    ]
    assert upwards == []


def test_every_module_of_control_has_a_layer() -> None:
    modules = {module_name(path) for path in sources(".py", folders=("control",))} - {"fanwire.control"}
    assert {module for module in modules if layer(module) is None} == set()


def test_one_file_imports_the_fast_path_and_the_rest_of_media_uses_it() -> None:
    own = {path: imports(path) for path in sources(".py", folders=("control",))}
    reaching = {path for path, names in own.items() if any(name.startswith("fanwire.fastpath") for name in names)}
    assert {module_name(path) for path in reaching} == {IMPORTER_OF_FAST_PATH}
    using = {path for path, names in own.items() if any(name.startswith(IMPORTER_OF_FAST_PATH) for name in names)}
    assert {path.parent.name for path in using} == {"media"}


def test_the_seam_stays_narrow() -> None:
    for node in ast.parse(SEAM.read_text()).body:
        if isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
            public = [method.name for method in methods if not method.name.startswith("_")]
            assert len(public) <= MAX_SEAM_METHODS, node.name


def test_the_fast_path_never_imports_control() -> None:
    for path in sources(".py", folders=("fastpath",)):
        assert not any(name.startswith("fanwire.control") for name in imports(path)), path
    for path in sources(".pyx", ".pxd", ".pyi", folders=("fastpath",)):
        assert not re.search(r"^\s*c?(?:from|import)\b.*\bcontrol\b", path.read_text(), re.MULTILINE), path


def test_instruments_stay_apart() -> None:
    """The server never imports `fastpath/testing`; `tests` and `bench` share `ci/support` and never each other."""
    wrong = [
        f"{path} imports {name}"
        for folders, forbidden in (
            (("control", "fastpath"), ("bench", "tests", "ci.support", "fanwire.fastpath.testing")),
            (("ci/support",), ("bench", "tests")),
            (("bench",), ("tests",)),
            (("tests",), ("bench",)),
        )
        for path in sources(".py", ".pyi", folders=folders)
        for name in imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]
    for path in (ROOT / "fastpath").glob("*.p*"):
        if re.search(r"^\s*(?:from|c?import)\b.*\btesting\b", path.read_text(), re.MULTILINE):
            wrong.append(f"{path} imports testing")
    assert wrong == []


def test_packages_import_themselves_relatively() -> None:
    for path in sources(".py", ".pyi", ".pyx", ".pxd"):
        assert not re.search(r"^\s*(?:from|c?import)\s+fanwire\b", path.read_text(), re.MULTILINE), path


def test_c_outside_net_does_no_io() -> None:
    wrong = []
    for path in sources(".c", ".h", folders=("fastpath",)):
        floor = path.parent.name
        used = set(re.findall(r"^\s*#\s*include\s*<([^>]+)>", path.read_text(), re.MULTILINE))
        if floor != "net":
            wrong += [f"{floor}/{path.name}: {name}" for name in used - PURE_HEADERS - EXTRA_HEADERS.get(floor, set())]
        assert "Python.h" not in used, path
    assert wrong == []


def test_the_worker_sees_c_through_core_and_crypto_alone() -> None:
    for path in (ROOT / "fastpath").glob("worker.p[yx][xd]"):
        text = path.read_text()
        assert set(re.findall(r"^\s*from\s+(\.\w*)\s+cimport\b", text, re.MULTILINE)) <= {".core", ".crypto"}, path
        assert not re.search(r'^\s*cdef\s+extern\s+from\s+"', text, re.MULTILINE), path


def test_no_c_file_shares_a_cython_modules_name() -> None:
    assert not [path for path in sources(".pyx") if path.with_suffix(".c").exists()]


def test_no_file_outgrows_a_reader() -> None:
    suffixes = (".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".js", ".css", ".html")
    own = sources(*suffixes, folders=("control", "fastpath", "ci/support", "tests", "bench"))
    lengths = {path: len(path.read_text().splitlines()) for path in own}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > MAX_LINES} == {}
