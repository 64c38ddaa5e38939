"""Relays: a producer whose consumers sit on another worker has one copy there, which its own worker feeds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .errors import EngineError
from .fastpath import AddRelayedProducer, AddRelayTarget, ProducerSpec, RemoveProducer, RemoveRelayTarget
from .ids import ProducerId, local_id
from .worker_handle import WorkerHandle
from .workers import Workers


@dataclass(slots=True)
class _Copy:
    """The copy of a producer on another worker: its local id there, and the number of consumers that use it."""

    local: int
    consumers: int = 0


class Relays:
    """All copies, by producer and worker. A copy lives from its first consumer to its last."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._copies: dict[tuple[ProducerId, int], _Copy] = {}
        self._changing = asyncio.Lock()  # one change at a time: making and removing a copy take several commands

    def __len__(self) -> int:
        return len(self._copies)

    async def attach(self, producer: ProducerId, spec: ProducerSpec, worker: WorkerHandle) -> int:
        """Count a consumer on `worker`; the local id that it binds to: the producer's own, or that of its copy."""
        home = self._workers.of(producer)
        if home is worker:
            return local_id(producer)
        async with self._changing:
            key = (producer, worker.index)
            if key not in self._copies:
                copy = await worker.ask(AddRelayedProducer(home.index, local_id(producer), spec))
                try:
                    await home.ask(AddRelayTarget(local_id(producer), worker.index, copy.id))
                except EngineError:  # the producer was removed meanwhile
                    await worker.ask(RemoveProducer(copy.id), may_be_gone=True)
                    raise
                self._copies[key] = _Copy(copy.id)
            self._copies[key].consumers += 1
            return self._copies[key].local

    async def detach(self, producer: ProducerId, worker: WorkerHandle) -> None:
        """Count a consumer on `worker` out; the last one removes the copy."""
        async with self._changing:
            copy = self._copies.get((producer, worker.index))
            if copy is None:
                return
            copy.consumers -= 1
            if copy.consumers > 0:
                return
            del self._copies[producer, worker.index]
            target = RemoveRelayTarget(local_id(producer), worker.index, copy.local)
            await self._workers.of(producer).ask(target, may_be_gone=True)
            await worker.ask(RemoveProducer(copy.local), may_be_gone=True)

    async def remove(self, producer: ProducerId) -> None:
        """Remove all copies of a producer."""
        async with self._changing:
            for key in [key for key in self._copies if key[0] == producer]:
                copy = self._copies.pop(key)
                await self._workers.at(key[1]).ask(RemoveProducer(copy.local), may_be_gone=True)
