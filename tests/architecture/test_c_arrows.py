"""The arrows between the C files of fastpath/, read from the symbol tables of their objects: down only, no circles."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FASTPATH = ROOT / "fastpath"

# The folders of C, the uppermost first. Folders on one line do not know each other.
LINES = (
    ("core",),
    ("rtcp",),
    ("ingress",),
    ("egress",),
    ("select", "ice"),
    ("state",),
    ("base",),
    ("stream", "cc"),
    ("wire", "crypto", "net"),
)
LINE_OF = {folder: line for line, folders in enumerate(LINES) for folder in folders}
# These know less than what is below them: stream/ and cc/ know wire/ alone, and the last line knows nothing.
KNOWN = {
    "stream": {"wire"},
    "cc": {"wire"},
    "base": {"wire", "crypto", "net"},
    "wire": set(),
    "crypto": set(),
    "net": set(),
}

Symbols = Mapping[str, tuple[set[str], set[str]]]  # by file: the symbols that it defines, and those that it uses
Arrow = tuple[str, str]


def folders() -> set[str]:
    return {path.parent.name for path in FASTPATH.glob("*/*.[ch]")}


def may_call(caller: str, callee: str) -> bool:
    """Whether a file of folder `caller` may use a symbol of folder `callee`."""
    if caller == callee:
        return True
    return callee in KNOWN[caller] if caller in KNOWN else LINE_OF[callee] > LINE_OF[caller]


def symbols_of(source: Path, out: Path) -> tuple[str, tuple[set[str], set[str]]]:
    name = str(source.relative_to(FASTPATH)).removesuffix(".c")
    compiled = out / name.replace("/", "-")
    compiler = [os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O0", "-I", str(FASTPATH)]
    subprocess.run([*compiler, "-c", str(source), "-o", str(compiled)], check=True)
    table = subprocess.run(["nm", "--format=posix", str(compiled)], check=True, capture_output=True, text=True).stdout
    defined, used = set[str](), set[str]()
    for symbol, kind in re.findall(r"^(fw_\w+) (\w)", table, re.MULTILINE):
        if kind == "U":
            used.add(symbol)
        elif kind.isupper():
            defined.add(symbol)
    return name, (defined, used)


def arrows_of(symbols: Symbols) -> set[Arrow]:
    """From each file to each other file whose symbols it uses."""
    owner = {symbol: name for name, (defined, _) in symbols.items() for symbol in defined}
    return {
        (name, owner[symbol])
        for name, (_, used) in symbols.items()
        for symbol in used
        if symbol in owner and owner[symbol] != name
    }


def circles(arrows: set[Arrow]) -> list[set[str]]:
    """The sets of files that reach each other."""
    below: dict[str, set[str]] = {}
    for caller, callee in arrows:
        below.setdefault(caller, set()).add(callee)

    def reach(start: str) -> set[str]:
        found, to_visit = set[str](), [start]
        while to_visit:
            for callee in below.get(to_visit.pop(), ()):
                if callee not in found:
                    found.add(callee)
                    to_visit.append(callee)
        return found

    reached = {name: reach(name) for name in below}
    groups = {frozenset(b for b in reached[a] if a in reached.get(b, ())) for a in below if a in reached[a]}
    return [set(group) for group in groups]


def upward(arrows: set[Arrow]) -> set[Arrow]:
    return {(caller, callee) for caller, callee in arrows if not may_call(caller.split("/")[0], callee.split("/")[0])}


@pytest.fixture(scope="module")
def arrows(tmp_path_factory: pytest.TempPathFactory) -> set[Arrow]:
    out = tmp_path_factory.mktemp("objects")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        symbols = dict(pool.map(lambda source: symbols_of(source, out), sorted(FASTPATH.glob("*/*.c"))))
    found = arrows_of(symbols)
    assert len(found) > 50, "the symbol tables were not read"
    return found


def test_every_folder_of_c_has_its_line() -> None:
    assert folders() <= set(LINE_OF)


def test_calls_go_down_only(arrows: set[Arrow]) -> None:
    assert upward(arrows) == set()


def test_no_files_call_each_other_in_a_circle(arrows: set[Arrow]) -> None:
    assert circles(arrows) == []


def include_arrows() -> Iterator[Arrow]:
    for path in sorted(FASTPATH.glob("*/*.[ch]")):
        for included in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), re.MULTILINE):
            target = (path.parent / included).resolve()
            assert target.is_file(), f"{path} includes {included}"
            yield str(path.relative_to(FASTPATH)), str(target.relative_to(FASTPATH))


def test_includes_go_down_only_and_in_no_circle() -> None:
    included = set(include_arrows())
    assert upward(included) == set()
    assert circles(included) == []


def test_planted_arrows_are_found() -> None:
    planted = {
        "core/core": ({"fw_a"}, {"fw_b"}),
        "state/marks": ({"fw_b"}, {"fw_a"}),
        "ice/ask": (set[str](), {"fw_b"}),
    }
    found = arrows_of(planted)
    assert upward(found) == {("state/marks", "core/core")}
    assert circles(found) == [{"core/core", "state/marks"}]
    assert upward({("select/rank", "ice/paths"), ("stream/cache", "net/ring")}) == {
        ("select/rank", "ice/paths"),
        ("stream/cache", "net/ring"),
    }
