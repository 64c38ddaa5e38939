"""The layers of a medium: which there are, which flow to a viewer, and which it wishes for."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..media.engine import ProducerId, ProducerSpec, TransportStatistics
from .errors import NoSuchLayer

_FRESH_S = 0.9  # however many viewers ask, a publisher's worker is asked about once a second
_SILENT_S = 3.0  # an encoding that sends nothing for so long is inactive: a screen may stand still for a while


@dataclass(frozen=True, slots=True)
class LayerWish:
    """The layers that a viewer wants: an encoding by its id, and at most these layers of it; None is the highest."""

    encoding: str | None = None
    spatial: int | None = None
    temporal: int | None = None

    def resolve(self, spec: ProducerSpec) -> int | None:
        """The producer's encoding, by its index. Raises NoSuchLayer for one that it has not."""
        if self.encoding is None:
            return None
        ids = encoding_ids(spec)
        if self.encoding not in ids:
            raise NoSuchLayer(f"There is no encoding {self.encoding!r} here; there is {', '.join(map(repr, ids))}.")
        return ids.index(self.encoding)


@dataclass(frozen=True, slots=True)
class EncodingState:
    """One encoding of a producer. Sizes are 0 where they are not known, the bit rate is None before it was measured.

    `spatial` and `temporal` are the highest layers in it, None where its packets name none.
    """

    id: str
    active: bool
    bitrate_bps: int | None
    width: int
    height: int
    spatial: int | None = None
    temporal: int | None = None
    sizes: tuple[tuple[int, int], ...] = ()  # of the spatial layers, where the stream tells them

    def size(self, spatial: int | None = None) -> tuple[int, int]:
        """The size of a spatial layer, the highest unless told otherwise."""
        layer = self.spatial if spatial is None else spatial
        if layer is None or (layer == self.spatial and not self.sizes):
            return self.width, self.height
        return self.sizes[layer] if layer < len(self.sizes) else (0, 0)

    def lowest(self) -> EncodingState:
        """The encoding as it is for who can have its lowest spatial layer alone."""
        if not self.spatial:
            return self
        width, height = self.size(0)
        return replace(self, spatial=0, width=width, height=height)


@dataclass(frozen=True, slots=True)
class Flow:
    """An encoding by its index, and the highest layers of it; it may have fewer."""

    encoding: int
    spatial: int
    temporal: int


@dataclass(frozen=True, slots=True)
class MediumState:
    """One medium of a session, in the order of its publisher's encodings.

    For a viewer also what flows to it, what is to flow (None: nothing), and its wish.
    """

    encodings: tuple[EncodingState, ...] = ()
    current: Flow | None = None
    target: Flow | None = None
    wish: LayerWish | None = None

    @property
    def shape(self) -> object:
        """All but the bit rates, which never stay the same."""
        return tuple(replace(one, bitrate_bps=None) for one in self.encodings), self.current, self.target, self.wish


def encoding_ids(spec: ProducerSpec) -> list[str]:
    """What the encodings are called: by their RIDs, by their place in the offer where they have none."""
    return [encoding.rid or str(index) for index, encoding in enumerate(spec.encodings)]


_Key = tuple[int, int | None]  # a producer, and an index of its encodings


class Meter:
    """Measures a publication's encodings: by what has come since it last looked."""

    def __init__(
        self,
        read: Callable[[], Awaitable[TransportStatistics]],
        producers: Sequence[tuple[ProducerId, ProducerSpec]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._producers = producers
        self._clock = clock
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._bytes: dict[_Key, int] = {}
        self._heard_at: dict[_Key, float] = {}
        self._states: dict[ProducerId, tuple[EncodingState, ...]] = {}

    async def encodings(self) -> Mapping[ProducerId, tuple[EncodingState, ...]]:
        """The encodings of each producer, as of the last second. Raises EngineError once the session is gone."""
        async with self._reading:
            if self._read_at is None or self._clock() - self._read_at >= _FRESH_S:
                self._measure(await self._read())
        return self._states

    def _measure(self, statistics: TransportStatistics) -> None:
        now = self._clock()
        elapsed_s = now - self._read_at if self._read_at is not None else None
        streams = {(one.id, one.encoding): one for one in statistics.streams if not one.outbound}
        come = {key: max(0, stream.bytes - self._bytes.get(key, 0)) for key, stream in streams.items()}
        self._heard_at |= {key: now for key, count in come.items() if count > 0}

        def state(name: str, key: _Key) -> EncodingState:
            stream = streams.get(key)
            if stream is None:
                return EncodingState(name, False, None, 0, 0)
            active = now - self._heard_at.get(key, -math.inf) < _SILENT_S
            rate_bps = round(come[key] * 8 / elapsed_s) if elapsed_s is not None else None
            return EncodingState(
                name, active, rate_bps, stream.width, stream.height, stream.spatial, stream.temporal, stream.sizes
            )

        self._states = {
            producer: tuple(state(name, (producer, index)) for index, name in enumerate(encoding_ids(spec)))
            for producer, spec in self._producers
        }
        self._bytes = {key: stream.bytes for key, stream in streams.items()}
        self._read_at = now
