"""The floor: copies packets for each subscriber and sends them, without rewriting or encryption."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from fanwire.fastpath.testing.sends import BareSends

from .peers import Peer, udp_socket
from .usage import CpuTime

PAUSE_S = 0.0005  # between bursts, about as long as the worker waits for its next one


class Floor:
    """Sends captured `packets` to each subscriber, from its own thread and socket."""

    def __init__(self, subscribers: Sequence[Peer], packets: Sequence[bytes]) -> None:
        self._sock = udp_socket("127.0.0.1")
        self._sends = BareSends(self._sock, [peer.address for peer in subscribers], packets)
        self._orders: SimpleQueue[int] = SimpleQueue()
        self._results: SimpleQueue[tuple[CpuTime, int]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="floor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._orders.put(0)
        self._thread.join()
        self._sock.close()

    def send(self, bursts: int) -> tuple[CpuTime, int]:
        """Sends so many bursts. Returns the CPU time of the thread and the packets that the kernel accepted."""
        self._orders.put(bursts)
        return self._results.get()

    def packets_a_message(self) -> float:
        """Average packets per GSO message."""
        counters = self._sends.counters()
        return counters["packets_out"] / counters["messages_out"]

    def _run(self) -> None:
        while bursts := self._orders.get():
            before = time.thread_time_ns()
            sent = 0
            for _ in range(bursts):
                sent += self._sends.send()
                time.sleep(PAUSE_S)
            self._results.put((CpuTime(time.thread_time_ns() - before, 0, 0), sent))
