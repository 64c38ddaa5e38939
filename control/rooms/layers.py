"""The layers of a medium: the available, the current, the target and the preferred ones of a viewer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..media.engine import ProducerId, ProducerSpec, TransportStatistics
from .errors import NoSuchLayer

_FRESH_S = 0.9  # the worker of a publisher is asked at most once in this time, for all viewers
_SILENT_S = 3.0  # an encoding without packets for this time is inactive; a static screen may pause for a while


@dataclass(frozen=True, slots=True)
class PreferredLayers:
    """The layers that a viewer prefers: the id of an encoding, and its highest layers. None is the highest."""

    encoding: str | None = None
    spatial: int | None = None
    temporal: int | None = None

    def resolve(self, spec: ProducerSpec) -> int | None:
        """The index of the producer's encoding, None for the highest. Raises NoSuchLayer for an unknown id."""
        if self.encoding is None:
            return None
        ids = encoding_ids(spec)
        if self.encoding not in ids:
            raise NoSuchLayer(f"There is no encoding {self.encoding!r}; the publisher has {', '.join(map(repr, ids))}.")
        return ids.index(self.encoding)


@dataclass(frozen=True, slots=True)
class EncodingState:
    """One encoding of a producer. Unknown sizes are 0; the bit rate is None before the first measurement.

    `spatial` and `temporal` are its highest layers, None where its packets name none.
    """

    id: str
    active: bool
    bitrate_bps: int | None
    width: int
    height: int
    spatial: int | None = None
    temporal: int | None = None
    sizes: tuple[tuple[int, int], ...] = ()  # of the spatial layers, if the stream declares them

    def size(self, spatial: int | None = None) -> tuple[int, int]:
        """The size of a spatial layer, by default of the highest."""
        layer = self.spatial if spatial is None else spatial
        if layer is None or (layer == self.spatial and not self.sizes):
            return self.width, self.height
        return self.sizes[layer] if layer < len(self.sizes) else (0, 0)

    def lowest(self) -> EncodingState:
        """The encoding for viewers that can receive only its lowest spatial layer."""
        if not self.spatial:
            return self
        width, height = self.size(0)
        return replace(self, spatial=0, width=width, height=height)


@dataclass(frozen=True, slots=True)
class Flow:
    """The index of an encoding, and an upper bound on its layers."""

    encoding: int
    spatial: int
    temporal: int


@dataclass(frozen=True, slots=True)
class MediumState:
    """The encodings of one medium of a session, in the order of the publisher's offer.

    For a viewer also the current and the target layers (None: none), and the preferred ones.
    """

    encodings: tuple[EncodingState, ...] = ()
    current: Flow | None = None
    target: Flow | None = None
    preferred: PreferredLayers | None = None

    @property
    def shape(self) -> object:
        """All but the bit rates, which change all the time."""
        encodings = tuple(replace(encoding, bitrate_bps=None) for encoding in self.encodings)
        return encodings, self.current, self.target, self.preferred


def encoding_ids(spec: ProducerSpec) -> list[str]:
    """The ids of the encodings: the RID, or the index in the offer where there is none."""
    return [encoding.rid or str(index) for index, encoding in enumerate(spec.encodings)]


_Key = tuple[int, int | None]  # a producer and the index of its encoding


class Meter:
    """Measures the encodings of a publication: bit rate and activity since the previous reading."""

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
        self._received_at: dict[_Key, float] = {}
        self._states: dict[ProducerId, tuple[EncodingState, ...]] = {}

    async def encodings(self) -> Mapping[ProducerId, tuple[EncodingState, ...]]:
        """The encodings of each producer, at most a second old. Raises EngineError once the session is gone."""
        async with self._reading:
            if self._read_at is None or self._clock() - self._read_at >= _FRESH_S:
                self._measure(await self._read())
        return self._states

    def _measure(self, statistics: TransportStatistics) -> None:
        now = self._clock()
        elapsed_s = now - self._read_at if self._read_at is not None else None
        streams = {(one.id, one.encoding): one for one in statistics.streams if not one.outbound}
        received = {key: max(0, stream.bytes - self._bytes.get(key, 0)) for key, stream in streams.items()}
        self._received_at |= {key: now for key, count in received.items() if count > 0}

        def state(name: str, key: _Key) -> EncodingState:
            stream = streams.get(key)
            if stream is None:
                return EncodingState(name, False, None, 0, 0)
            active = now - self._received_at.get(key, -math.inf) < _SILENT_S
            rate_bps = round(received[key] * 8 / elapsed_s) if elapsed_s is not None else None
            return EncodingState(
                name, active, rate_bps, stream.width, stream.height, stream.spatial, stream.temporal, stream.sizes
            )

        self._states = {
            producer: tuple(state(name, (producer, index)) for index, name in enumerate(encoding_ids(spec)))
            for producer, spec in self._producers
        }
        self._bytes = {key: stream.bytes for key, stream in streams.items()}
        self._read_at = now
