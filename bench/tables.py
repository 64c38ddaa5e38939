"""The tables of docs/performance.md, each out of some runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import runs
from .runs import NotMeasured, Run


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each run, times `scale`, in Python's format."""

    head: str
    figure: str
    form: str = ".2f"
    scale: float = 1.0

    def text(self, run: Run) -> str:
        """Empty where the run has none. Raises NotMeasured."""
        found = run.figure(self.figure)
        return "" if found is None else format(found * self.scale, self.form)


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is that of its place in the document."""

    name: str
    runs: Sequence[Run]
    columns: Sequence[Column]

    def text(self) -> str:
        """As Markdown, a line for each run; of one that could not be measured it tells why."""
        heads = ["command", *(column.head for column in self.columns)]
        lines = [heads, ["---"] * len(heads), *(self._line(run) for run in self.runs)]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def _line(self, run: Run) -> list[str]:
        try:
            cells = [column.text(run) for column in self.columns]
        except NotMeasured as problem:
            cells = [f"not measured: {problem}", *[""] * (len(self.columns) - 1)]
        return [f"`{run.command}`", *cells]


FANOUT_COLUMNS = (
    Column("CPU, ns a packet", "cpu_ns_per_packet", ".0f"),
    Column("user", "user_ns_per_packet", ".0f"),
    Column("system", "system_ns_per_packet", ".0f"),
    Column("floor", "floor_ns_per_packet", ".0f"),
    Column("ratio", "ratio_to_floor"),
    Column("packets a CPU second", "packets_per_cpu_second", ",.0f"),
    Column("kB a subscriber", "memory_bytes_per_subscriber", ".1f", 1e-3),
)
LIVE_COLUMNS = (
    Column("CPU, ns a packet", "cpu_ns_per_packet", ".0f"),
    Column("of a core, %", "core_share", ".0f", 100),
    Column("packets a second", "packets_per_second", ",.0f"),
    Column("in the server, ms: p50", "in_server_ms.p50"),
    Column("p99", "in_server_ms.p99"),
    Column("end to end, ms: p50", "end_to_end_ms.p50"),
    Column("p99", "end_to_end_ms.p99"),
    Column("lost, %", "loss", ".3f", 100),
)
SWEEP = {k: Run("fanout", f"--k {k}") for k in (1, 2, 4, 8, 16)}
CROWDS = {n: Run("fanout", f"--live video --subscribers {n}") for n in (50, 200, 500, 1000, 2000)}
BACKENDS = {
    "ipsec-mb, GCM": runs.K8,
    "libcrypto, GCM": runs.K8_LIBCRYPTO,
    "ipsec-mb, AES-CM": runs.K8_CM,
    "libcrypto, AES-CM": Run("fanout", "--backend libcrypto --k 8 --profile cm80"),
}

TABLES = (
    Table("fanout", [*SWEEP.values(), Run("fanout", "--k 8 --profile gcm256")], FANOUT_COLUMNS),
    Table("backends", [runs.K4, *BACKENDS.values()], FANOUT_COLUMNS),
    Table("workers", [runs.TWO_WORKERS], [*FANOUT_COLUMNS[:3], Column("ratio to one worker", "ratio_to_one_worker")]),
    Table("live", [*CROWDS.values(), Run("fanout", "--live audio")], LIVE_COLUMNS),
    Table(
        "nack",
        [runs.NACK],
        [
            Column("sent, ns a packet", "send_ns_per_packet", ".0f"),
            Column("repaired, ns a packet", "repair_ns_per_packet", ".0f"),
            Column("ratio", "ratio"),
            Column("repaired twice", "repaired_twice", ".0f"),
        ],
    ),
    Table(
        "layers",
        [runs.LAYERS],
        [
            Column("plain, ns a packet", "cases.plain.ns_per_packet", ".0f"),
            Column("ratio to that: VP8, temporal layers", "cases.vp8_temporal.ratio"),
            Column("VP8, simulcast", "cases.simulcast.ratio"),
            Column("VP9, SVC", "cases.vp9_svc.ratio"),
            Column("AV1, SVC by descriptor", "cases.av1_svc.ratio"),
        ],
    ),
    Table(
        "idle",
        [runs.IDLE],
        [
            Column("of a core, %", "core_share", ".1f", 100),
            Column("ns a datagram", "ns_per_datagram", ".0f"),
        ],
    ),
    Table(
        "viewers",
        [runs.VIEWERS_10, runs.VIEWERS_4, runs.VIEWERS_2000, runs.STORM],
        [
            Column("CPU of the server, µs a packet", "cpu_us_per_packet"),
            Column("packets a second", "packets_per_second", ",.0f"),
            Column("latency, ms: p50", "latency_ms.p50"),
            Column("p99", "latency_ms.p99"),
            Column("p99 in the storm", "storm_latency_ms.p99"),
            Column("kB a viewer", "kb_per_viewer", ".1f"),
            Column("CPU of a join, ms", "join_cpu_ms_per_viewer"),
        ],
    ),
)
