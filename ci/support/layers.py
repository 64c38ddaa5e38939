"""Publishers with layers, and a viewer whose layers are set through the server's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

from .peers import Viewer
from .seen import Frame
from .server import Server
from .waiting import until

SWITCH_S = 15  # on a busy machine
START_S = 60  # until the publisher's bandwidth estimate allows the highest layer
WIDTHS = (240, 480, 960)  # Chromium sends three sizes from this one on


def simulcast(mode: str) -> list[dict[str, Any]]:
    """Three encodings of these widths."""
    sizes = (("q", 4, 100_000), ("h", 2, 250_000), ("f", 1, 600_000))
    return [
        {"rid": rid, "scaleResolutionDownBy": scale, "maxBitrate": bps, "scalabilityMode": mode}
        for rid, scale, bps in sizes
    ]


Layer = tuple[Any, ...]  # encoding, spatial and temporal layer; None if there is only one


@dataclass(frozen=True)
class Case:
    """A publisher's layers: the JSON member that selects a width, and its values in the order of the widths."""

    codec: str
    encodings: list[dict[str, Any]]
    member: str
    values: tuple[str | int, ...]
    descriptor: bool = False  # the viewer asks for dependency descriptors

    def choices(self) -> list[tuple[dict[str, Any], int]]:
        """Every possible choice and its width."""
        rates: list[dict[str, Any]] = [{}, {"temporalLayerId": 0}]
        sizes = zip(self.values, WIDTHS, strict=True)
        return [({self.member: value} | rate, width) for value, width in sizes for rate in rates]

    def layers(self) -> list[Layer]:
        """All layers, the highest last."""
        encodings = self.member == "encodingId"
        of = [(value, None) if encodings else ("0", value) for value in self.values]
        return [(*known, temporal) for known in of for temporal in range(3)]


def described(mode: str) -> Case:
    """Spatial layers announced by the dependency descriptor."""
    encodings = [{"scalabilityMode": mode, "maxBitrate": 900_000}]
    return Case("AV1", encodings, "maxSpatialLayerId", (0, 1, 2), descriptor=True)


RIDS = ("q", "h", "f")
CASES = {
    "vp8": Case("VP8", simulcast("L1T3"), "encodingId", RIDS),
    "vp9": Case("VP9", simulcast("L1T3"), "encodingId", RIDS),
    "vp9-svc": Case("VP9", [{"scalabilityMode": "L3T3_KEY", "maxBitrate": 900_000}], "maxSpatialLayerId", (0, 1, 2)),
    "vp9-s": Case("VP9", [{"scalabilityMode": "S3T3", "maxBitrate": 1_500_000}], "maxSpatialLayerId", (0, 1, 2)),
    "h264": Case("H264", simulcast("L1T3"), "encodingId", RIDS),
    "av1": Case("AV1", simulcast("L1T3"), "encodingId", RIDS),
    "av1-svc": described("L3T3"),
    "av1-key": described("L3T3_KEY"),
}


class Chooser:
    """Sets the layers of a viewer as an admin does, and records every picture shown."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, viewer: Viewer, resource: str) -> None:
        self._http, self._viewer = http, viewer
        self._session = f"{server.url}/api/v1/sessions/{resource.rpartition('/')[2]}"
        self.frames: list[Frame] = []

    async def choose(self, choice: dict[str, Any], width: int) -> None:
        """Sets the layer and waits until its width is shown."""
        async with self._http.patch(self._session, json={"media": {"1": choice}}) as response:
            assert (response.status, (await response.json())["media"]["1"]["preferred"]) == (200, as_reported(choice))
        await until(self.width, lambda shown: shown == width, SWITCH_S)

    async def reported(self) -> dict[str, Any]:
        """The server's layer information on the video."""
        async with self._http.get(self._session) as response:
            medium: dict[str, Any] = (await response.json())["media"]["1"]
        return medium

    async def layers(self) -> list[Layer]:
        """The layers that the server reports: encoding, spatial and temporal layer."""
        names = ("encodingId", "spatialLayerId", "temporalLayerId")
        return [tuple(map(layer.get, names)) for layer in (await self.reported())["layers"]]

    async def width(self) -> int | None:
        """The width shown now, in pixels."""
        self.frames += (await self._viewer.drain()).frames
        return self.frames[-1].width if self.frames else None

    async def rate(self, seconds: float = 2) -> float:
        """Pictures shown per second."""
        seen = await self._viewer.watch(seconds)
        return len(seen.frames) / seconds


def as_reported(choice: dict[str, Any]) -> dict[str, Any]:
    """Choosing an id and choosing a highest id give the same layer."""
    return {name.replace("maxSpatial", "spatial"): value for name, value in choice.items()}


def as_ids(layer: Layer) -> dict[str, Any]:
    names = ("encodingId", "spatialLayerId", "temporalLayerId")
    return {name: value for name, value in zip(names, layer, strict=True) if value is not None}
