"""`fanwire doctor`: examines this machine, and advises on settings that would make the server faster."""

from __future__ import annotations

import json
import os
import platform
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .media.engine import Backend, BackendError, Engine, EngineConfig

_WANTED_BUFFER_BYTES = 8 << 20
_WANTED_FILES = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """One property of the machine: its name, its value, and advice where it could be better.

    `fatal`: the server cannot start.
    """

    what: str
    found: str
    advice: str = ""
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order of the printed report."""

    findings: Sequence[Finding]

    @property
    def can_start(self) -> bool:
        """Whether `fanwire serve` can start."""
        return not any(finding.fatal for finding in self.findings)

    def as_text(self) -> str:
        """A line for each finding, and its advice below it."""
        width = max(len(finding.what) for finding in self.findings)
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.what:{width}}  {finding.found}")
            if finding.advice:
                lines.append(f"{'':{width}}  -> {finding.advice}")
        return "\n".join(lines)

    def as_json(self) -> str:
        """The report as JSON."""
        return json.dumps(
            {"canStart": self.can_start, "findings": [asdict(finding) for finding in self.findings]}, indent=2
        )


async def examine() -> Report:
    """Examine the machine. Opens sockets on free ports of loopback, and closes them."""
    findings = [*_machine(), _open_files()]
    try:
        async with Engine(EngineConfig(udp=[[("127.0.0.1", 0)]])) as engine:
            crypto, (worker,) = engine.crypto, engine.counters()
        findings += [_crypto(crypto), *_socket(worker.sockets[0])]
    except (BackendError, OSError) as error:
        findings.append(
            Finding("workers", str(error), "reinstall Fanwire's packages, pylibsrtp among them", fatal=True)
        )
    return Report(findings)


def _machine() -> Iterator[Finding]:
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding("Python", platform.python_version())
    cores = len(os.sched_getaffinity(0))
    yield Finding("cores", f"{cores}, which is the default of --workers")
    yield Finding("AES instructions", _aes())


def _aes() -> str:
    """The processor's instructions for AES, from /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    words = {word for line in lines if line.startswith(("flags", "Features")) for word in line.split()}
    return (
        ", ".join(word for word in ("aes", "pclmulqdq", "pmull", "vaes", "vpclmulqdq", "avx512f") if word in words)
        or "none"
    )


def _open_files() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most >= _WANTED_FILES:
        return Finding("open files", "unlimited" if most == resource.RLIM_INFINITY else str(most))
    return Finding(
        "open files", str(most), f"raise the hard limit to {_WANTED_FILES} or more: each HTTP connection takes one"
    )


def _crypto(crypto: Backend) -> Finding:
    advice = ""
    if crypto.name != "ipsec-mb" and platform.machine() == "x86_64":
        advice = "apt install libipsec-mb1 (tested with 1.3.0) saves a seventh of the CPU time, or half with AES-CM"
    return Finding("encryption", f"{crypto.name} {crypto.version} ({crypto.why})", advice)


def _socket(granted: Mapping[str, object]) -> Iterator[Finding]:
    for name, option in (("receive", "rmem"), ("send", "wmem")):
        size = int(str(granted[f"{name}_buffer_bytes"]))
        advice = "" if size >= _WANTED_BUFFER_BYTES else f"sysctl -w net.core.{option}_max={_WANTED_BUFFER_BYTES}"
        yield Finding(f"{name} buffer", f"{size} bytes granted, {_WANTED_BUFFER_BYTES} requested", advice)
    segments = granted["gso_max_segments"]
    yield Finding(
        "GSO",
        f"{segments} packets per message" if granted["gso"] else "no",
        "" if granted["gso"] else "Linux 4.18 or newer sends many packets in one call",
    )
    yield Finding("GRO", "yes" if granted["gro"] else "no", "" if granted["gro"] else "Linux 5.0 or newer supports it")
