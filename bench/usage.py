"""CPU time and memory of threads and processes, from the kernel."""

from __future__ import annotations

import os
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SPARE_FILES = 200
USER, SYSTEM = 11, 12  # fields of /proc/[pid]/stat, counted from the one after the command's name


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU time of threads. `total_ns` is exact; the split into user and system time is sampled by kernel ticks."""

    total_ns: int
    user_ticks: int
    system_ticks: int

    @classmethod
    def of(cls, thread: threading.Thread) -> CpuTime:
        """CPU time of a running thread up to now, including softirqs executed in it."""
        assert thread.ident is not None
        stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        total_ns = time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
        return cls(total_ns, int(fields[USER]), int(fields[SYSTEM]))

    def __add__(self, other: CpuTime) -> CpuTime:
        return CpuTime(
            self.total_ns + other.total_ns,
            self.user_ticks + other.user_ticks,
            self.system_ticks + other.system_ticks,
        )

    @property
    def user_share(self) -> float:
        """Share of user time, 0 to 1."""
        return self.user_ticks / max(1, self.user_ticks + self.system_ticks)

    def since(self, earlier: CpuTime) -> CpuTime:
        return CpuTime(
            self.total_ns - earlier.total_ns,
            self.user_ticks - earlier.user_ticks,
            self.system_ticks - earlier.system_ticks,
        )


def stay_aside() -> None:
    """Pins the calling thread, and threads that it starts later, to the last core; workers use the others."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def allow_files(count: int) -> None:
    """Raises the limit on open files to at least `count` + SPARE_FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + SPARE_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + SPARE_FILES, max(count + SPARE_FILES, hard)))


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def machine() -> str:
    """One line that names processor, cores and kernel."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else os.uname().machine
    release = os.uname().release.partition("-")[0]
    return f"{model}, {os.cpu_count()} cores, Linux {release}"
