"""Submits commands to a worker and waits for the results."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterable

from fanwire.fastpath.messages import Command, Result
from fanwire.fastpath.worker import Worker

IN_FLIGHT = 256
PATIENCE_S = 10.0


class Refused(RuntimeError):
    """A command failed, or its result did not arrive within PATIENCE_S."""


def submit_all(worker: Worker, commands: Iterable[Command]) -> list[int]:
    """Submits every command and returns the ids of the results, in order. Other events are dropped."""
    ids: list[int] = []
    waiting: deque[tuple[int, Command]] = deque()
    for command in commands:
        if len(waiting) == IN_FLIGHT:
            _collect(worker, waiting, ids)
        waiting.append((worker.submit(command), command))
    while waiting:
        _collect(worker, waiting, ids)
    return ids


def _collect(worker: Worker, waiting: deque[tuple[int, Command]], ids: list[int]) -> None:
    if not select.select([worker.fileno()], [], [], PATIENCE_S)[0]:
        raise Refused(f"no answer to {waiting[0][1]!r} within {PATIENCE_S:.0f} s")
    for event in worker.read_events():
        if not isinstance(event, Result):
            continue
        ticket, command = waiting.popleft()
        if event.ticket != ticket or event.error:
            raise Refused(f"error {event.error} for {command!r}")
        ids.append(event.id)
