"""What a thread and the process use: CPU time and memory, as the kernel counts them."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

USER, SYSTEM = 11, 12  # fields of /proc/[pid]/stat, counted from the one after the command's name


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU time of one thread. `total_ns` is exact; the two others tell how the kernel's ticks found it divided."""

    total_ns: int
    user_ticks: int
    system_ticks: int

    @classmethod
    def of(cls, thread: threading.Thread) -> CpuTime:
        """Of a running thread, up to now. Work that the kernel does for it in softirqs is in it."""
        assert thread.ident is not None
        stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        total_ns = time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
        return cls(total_ns, int(fields[USER]), int(fields[SYSTEM]))

    def since(self, earlier: CpuTime) -> CpuTime:
        return CpuTime(
            self.total_ns - earlier.total_ns,
            self.user_ticks - earlier.user_ticks,
            self.system_ticks - earlier.system_ticks,
        )


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def machine() -> str:
    """This machine in a line: processor, cores, kernel."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else os.uname().machine
    return f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}"
