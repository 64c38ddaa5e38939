"""The ids of the engine: a worker's own id (slot and generation, 56 bits) with the worker's index above it."""

from __future__ import annotations

from typing import NewType

TransportId = NewType("TransportId", int)
ProducerId = NewType("ProducerId", int)
ConsumerId = NewType("ConsumerId", int)

_WORKER_SHIFT = 56


def engine_id(worker: int, local: int) -> int:
    """The engine's id of an object that worker `worker` (an index) calls `local`."""
    return local | worker << _WORKER_SHIFT


def local_id(some_id: int) -> int:
    """The worker's own id of an object."""
    return some_id & (1 << _WORKER_SHIFT) - 1


def worker_index(some_id: int) -> int:
    """The index of the worker that holds an object."""
    return some_id >> _WORKER_SHIFT
