"""The distribution: an sdist that builds, and a wheel with the extensions, the pages and the type stubs in it."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("control", "fastpath", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(code: str, *arguments: str, folder: Path, search: Path | None = None) -> str:
    environment = dict(os.environ) | ({"PYTHONPATH": str(search)} if search else {})
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(kind: str, project: Path, target: Path) -> Path:
    target.mkdir()
    run(
        f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])",
        str(target),
        folder=project,
    )
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    project = folder / "project"
    project.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name)  # with what an editable install left there
        else:
            shutil.copy(source, project)
    return build("sdist", project, folder / "dist")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build("wheel", folder / sdist.name.removesuffix(".tar.gz"), folder / "dist")


def in_tree(*patterns: str) -> set[str]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if "__pycache__" not in path.parts}
    return {path.relative_to(ROOT).as_posix() for path in found if path.is_file()}


def test_the_sdist_holds_every_source_and_nothing_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = in_tree(
        "control/**/*.py", "control/**/*.ivf", "control/web/**/*", "fastpath/**/*.[ch]", "fastpath/**/*.p*"
    ) | set(SHIPPED)
    assert wanted - held == set()
    assert not {name for name in held if name.endswith((".so", ".o", ".pyc")) or name.startswith(("build", "tests"))}


def test_the_wheel_holds_extensions_pages_and_stubs_and_no_sources_of_theirs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("fanwire/")}
        metadata = {name.partition("/")[2] for name in archive.namelist()} - held
    modules = {Path(name).stem for name in in_tree("fastpath/*.pyx")}
    extensions = {name for name in held if name.endswith(".so")}
    assert {Path(name).name.partition(".")[0] for name in extensions} == modules
    plain = in_tree(
        "control/**/*.py", "control/**/*.ivf", "control/web/**/*", "fastpath/*.py", "fastpath/*.pyi", "*/py.typed"
    )
    assert held - extensions == {f"fanwire/{name}" for name in plain}
    assert not {name for name in held if name.startswith("fanwire/fastpath/testing")}
    assert {"entry_points.txt", "licenses/LICENSE"} <= metadata


def test_the_wheels_extensions_are_stripped(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    extensions = sorted(tmp_path.rglob("*.so"))
    assert extensions
    for path in extensions:
        printed = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
        sections = set(re.findall(r"^\s*\[ *\d+\] (\.\S+)", printed, re.MULTILINE))
        assert ".dynsym" in sections, path
        assert not {name for name in sections if name.startswith((".symtab", ".debug"))}, path


def test_the_installed_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = """
import importlib, pathlib, sys
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    assert pathlib.Path(module.__file__).is_relative_to(sys.argv[1]), module
from fanwire.control.__main__ import main
main(["--version"])
"""
    modules = [f"fanwire.fastpath.{Path(name).stem}" for name in in_tree("fastpath/*.pyx")]
    printed = run(code, str(tmp_path), "fanwire.control.media.engine", *modules, folder=tmp_path, search=tmp_path)
    assert printed.startswith("fanwire 0.")
