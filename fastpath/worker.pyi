from collections.abc import Sequence
from socket import socket

from .messages import Command, Event, Latency

class Worker:
    capabilities: list[dict[str, object]]
    def __init__(
        self,
        index: int,
        sockets: Sequence[socket],
        listeners: Sequence[socket] = (),
        *,
        ports: Sequence[socket] = (),
        pool_packets: int = 16384,
        max_transports: int = 65536,
        max_ssrcs: int = 64,
        instant_join_us: int = 3_000_000,
        coalesce_us: int = 0,
        tcp_connections: int = 4096,
        tcp_lease_us: int = 10_000_000,
    ) -> None: ...
    def connect(self, other: Worker) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def fileno(self) -> int: ...
    def submit(self, command: Command) -> int: ...
    def read_events(self) -> list[Event]: ...
    def counters(self) -> dict[str, int]: ...
    def latency(self) -> Latency: ...
