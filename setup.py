"""What pyproject.toml cannot say: the packages, the C libraries, and the Cython extensions that link them."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

os.chdir(Path(__file__).resolve().parent)  # every path here is relative to the project

# One static library for each floor of the C code, in the order that a linker wants: callers first.
FLOORS = (
    *("core", "rtcp", "ingress", "egress", "select", "ice", "state", "base"),
    *("cc", "stream", "crypto", "wire", "net"),
)

MACROS = [("_GNU_SOURCE", "1")]
HARDENING = ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"]
CFLAGS = ["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wconversion", "-Werror=implicit", *HARDENING]

HEADERS = sorted(str(path) for path in Path("fastpath").glob("*/*.h"))
SOURCES = {floor: sorted(str(path) for path in Path("fastpath", floor).glob("*.c")) for floor in FLOORS}
NAMESPACE = Path("build/namespace/fanwire")


def link_namespace() -> None:
    """Lay the packages out as they are imported, for tools that read files: Cython and type checkers."""
    NAMESPACE.mkdir(parents=True, exist_ok=True)
    for name in ("control", "fastpath"):
        link = NAMESPACE / name
        if not link.is_symlink():
            link.symlink_to(Path("../../..", name))


def extension(source: Path, *link_args: str) -> Extension:
    return Extension(
        ".".join(["fanwire", *source.with_suffix("").parts]),
        [str(source)],
        include_dirs=["fastpath"],
        define_macros=MACROS,
        extra_compile_args=["-O3", "-fvisibility=hidden", *HARDENING],
        extra_link_args=["-Wl,-z,relro,-z,now", *link_args],
        libraries=["dl", "pthread"],
        depends=HEADERS,  # Cython copies these beside the C that it writes, where #include looks first
    )


def shipped_extensions() -> list[Extension]:
    """Those of a wheel: without the instruments of tests and benchmarks (fastpath/testing), and without symbols."""
    return [extension(path, "-Wl,--strip-all") for path in sorted(Path("fastpath").glob("*.pyx"))]


def all_extensions() -> list[Extension]:
    return [extension(path) for path in sorted(Path("fastpath").rglob("*.pyx"))]


class BuildExt(build_ext):
    """Builds in one lasting place for this checkout, so that pip and a direct call reuse each other's work."""

    def finalize_options(self) -> None:
        in_place = self.inplace or self.editable_mode
        self.distribution.ext_modules = cythonize(
            all_extensions() if in_place else shipped_extensions(),
            include_path=[str(NAMESPACE.parent)],
            build_dir="build/cython",
        )
        super().finalize_options()
        if in_place:
            self.build_lib = self.build_temp = f"build/inplace-{sys.implementation.cache_tag}"

    def run(self) -> None:
        self.run_command("build_clib")  # or extensions would be linked with what an earlier build left
        archives = [str(path) for path in Path("build/clib").glob("*.a")]
        for extension in self.extensions:
            extension.depends += archives
        super().run()


link_namespace()

setup(
    packages=[
        f"fanwire.{name}" for name in find_packages(include=["control*", "fastpath*"], exclude=["fastpath.testing*"])
    ],
    cmdclass={"build_ext": BuildExt},
    libraries=[
        (f"fanwire_{floor}", {"sources": paths, "macros": MACROS, "cflags": CFLAGS, "obj_deps": {"": HEADERS}})
        for floor, paths in SOURCES.items()
        if paths
    ],
    ext_modules=all_extensions(),  # BuildExt chooses
    options={
        "build_clib": {"build_temp": "build/clib", "build_clib": "build/clib"},
        "build_ext": {"parallel": True},
    },
)
