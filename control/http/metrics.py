"""`/metrics` for Prometheus: counters of workers, drops and refusals by reason, and gauges of rooms and sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..media.engine import Backend, Latency, TransportState, WorkerNumbers
from ..rooms.rooms import Rooms
from .contract import ACCESS
from .problems import PROBLEM_COUNTS

WorkerCounters = Callable[[], Sequence[WorkerNumbers]]

_DROP = "drop_"
_SOCKET_DROPS = {"udp_truncated", "udp_receive_overflow", "udp_send_would_block", "udp_send_refused"}
_LATENCY_BOUNDS_US = [1 << n for n in range(4, 24)]  # 16 us to 8 s


class NodeCollector(Collector):
    """Collects the metrics of the node at each scrape. No label names a room, an identity or a session."""

    def __init__(self, rooms: Rooms, counters: WorkerCounters, problem_counts: Counter[str], crypto: Backend) -> None:
        self._rooms = rooms
        self._counters = counters
        self._problem_counts = problem_counts
        labels = {"backend": crypto.name, "version": crypto.version, "why": crypto.why}
        self._crypto = InfoMetricFamily(
            "fanwire_crypto", "The library that encrypts media, and the reason for its choice", labels
        )

    def collect(self) -> Iterator[Metric]:
        """All metrics, each family once."""
        yield from _of_workers(self._counters())
        yield from self._of_rooms()
        yield self._crypto
        problems = CounterMetricFamily("fanwire_http_problems", "Refused requests, by kind of problem", labels=["kind"])
        for kind, count in self._problem_counts.items():
            problems.add_metric([kind], count)
        yield problems

    def _of_rooms(self) -> Iterator[Metric]:
        rooms = self._rooms
        members = list(rooms.sessions.values())
        yield GaugeMetricFamily("fanwire_rooms", "Rooms in use", len(rooms.rooms))
        yield GaugeMetricFamily("fanwire_draining", "1 while the server drains", int(rooms.draining.is_set()))
        sessions = GaugeMetricFamily("fanwire_sessions", "Open sessions", labels=["kind"])
        opened = CounterMetricFamily("fanwire_sessions_opened", "Sessions opened since the start", labels=["kind"])
        for kind in ("publish", "subscribe"):
            sessions.add_metric([kind], sum(member.kind == kind for member in members))
            opened.add_metric([kind], rooms.opened[kind])
        yield from (sessions, opened)
        states = Counter(member.session.state for member in members)
        transports = GaugeMetricFamily("fanwire_transports", "Transports of open sessions", labels=["state"])
        for state in TransportState:
            transports.add_metric([state.name.lower()], states[state])
        yield transports
        drops = rooms.dropped_dtls_datagrams
        yield CounterMetricFamily(
            "fanwire_dtls_dropped", "DTLS datagrams that arrived faster than handshakes process them", drops
        )


def add_routes(app: web.Application, rooms: Rooms, counters: WorkerCounters, crypto: Backend) -> None:
    """Serve `/metrics`, including the metrics of the process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(NodeCollector(rooms, counters, app[PROBLEM_COUNTS], crypto))

    async def metrics(request: web.Request) -> web.Response:
        request.app[ACCESS].check_admin(request, metrics=True)
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
        return web.Response(body=generate_latest(registry), headers=headers)

    app.router.add_get("/metrics", metrics)


def _of_workers(workers: Sequence[WorkerNumbers]) -> Iterator[Metric]:
    dropped = CounterMetricFamily(
        "fanwire_dropped", "Dropped datagrams and packets, by reason", labels=["worker", "reason"]
    )
    latency = HistogramMetricFamily(
        "fanwire_forward_seconds", "Time of RTP packets in a worker, until the kernel accepts them", labels=["worker"]
    )
    others: dict[str, CounterMetricFamily] = {}
    for worker, numbers in enumerate(workers):
        latency.add_metric([str(worker)], _buckets(numbers.latency), numbers.latency.sum_us / 1e6)
        for name, value in numbers.counters.items():
            if name.startswith(_DROP) or name in _SOCKET_DROPS:
                dropped.add_metric([str(worker), name.removeprefix(_DROP)], value)
                continue
            family = others.get(name)
            if family is None:
                help_text = f"The worker's counter {name}"
                family = others[name] = CounterMetricFamily(f"fanwire_worker_{name}", help_text, labels=["worker"])
            family.add_metric([str(worker)], value)
    yield from (dropped, latency)
    yield from others.values()


def _buckets(latency: Latency) -> list[tuple[str, float]]:
    """The worker's histogram, merged into octaves."""
    counted = list(zip(latency.bounds_us, latency.counts, strict=False))
    below = [(str(us / 1e6), sum(n for bound, n in counted if bound < us)) for us in _LATENCY_BOUNDS_US]
    return [*below, ("+Inf", sum(latency.counts))]
