"""CPU and memory of a server process, and its counters."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Footprint:
    """CPU and memory of one process at one time, from /proc."""

    resident_bytes: int
    threads: int
    descriptors: int
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """Samples this process now."""
        folder = Path("/proc", str(pid))
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        return cls(
            resident_bytes=int(status["VmRSS"].split()[0]) * 1024,
            threads=int(status["Threads"]),
            descriptors=len(list((folder / "fd").iterdir())),
            cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        )


async def counters(url: str) -> Counter[str]:
    """Returns the workers' counters by name, summed, and `transports`, from /metrics."""
    total: Counter[str] = Counter()
    async with aiohttp.ClientSession(raise_for_status=True) as http, http.get(f"{url}/metrics") as response:
        for family in text_string_to_metric_families(await response.text()):
            for sample in family.samples:
                total[_counter_name(sample)] += int(sample.value)
    return total


def _counter_name(sample: Sample) -> str:
    name = sample.name.removeprefix("fanwire_").removeprefix("worker_").removesuffix("_total")
    reason = sample.labels.get("reason", "")
    return reason if reason.startswith("udp_") else f"drop_{reason}" if reason else name
