"""Layers in JSON, as WHEP's layer extension has them (draft-ietf-wish-whep-01, sections 4.8.1.3 and 4.8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..rooms.layers import EncodingState, Flow, MediumState, PreferredLayers
from .problems import Problem

MAX_LAYER_ID = 7
"""The largest value of three bits, which VP9 and AV1 use for temporal layers."""

MAX_ID_CHARS = 255

_SPATIAL = ("spatialLayerId", "maxSpatialLayerId")
_TEMPORAL = ("temporalLayerId", "maxTemporalLayerId")


def read_preferred_layers(body: Mapping[str, Any], *, but: Iterable[str] = ()) -> PreferredLayers:
    """The preferred layers in a JSON object, whose members are all optional. Ignores the members in `but`.

    Raises Problem 400. An id and the highest id allowed come to the same: at most that layer is sent.
    """
    allowed = ("encodingId", *_SPATIAL, *_TEMPORAL)
    for name in body.keys() - {*allowed, *but}:
        raise _bad(f"The member {name[:64]!r} is unknown; known are {', '.join((*but, *allowed))}.")
    encoding = body.get("encodingId")
    if "encodingId" in body and not (isinstance(encoding, str) and 1 <= len(encoding) <= MAX_ID_CHARS):
        raise _bad(f"encodingId is a string of 1 to {MAX_ID_CHARS} characters, such as the RID of an encoding.")
    return PreferredLayers(encoding, _lowest(body, _SPATIAL), _lowest(body, _TEMPORAL))


def read_index(media_id: object) -> int:
    """The index in the SDP that a mediaId names. Raises Problem 400."""
    if isinstance(media_id, str) and media_id.isascii() and media_id.isdigit() and len(media_id) <= 3:
        return int(media_id)
    raise _bad('mediaId is the index of the medium in the SDP, from "0" on, as a string.')


def media_document(media: Mapping[int, MediumState]) -> dict[str, Any]:
    """The data of a `layers` event. Beyond the draft it has the `current`, the `target` and the `preferred` layers."""
    return {str(index): _medium(state) for index, state in media.items()}


def _lowest(body: Mapping[str, Any], names: tuple[str, str]) -> int | None:
    found = []
    for name in names:
        if name not in body:
            continue
        value = body[name]
        if type(value) is float and value.is_integer():
            value = int(value)  # JSON does not distinguish 1 and 1.0
        if type(value) is not int or not 0 <= value <= MAX_LAYER_ID:
            raise _bad(f"{name} is a whole number from 0 to {MAX_LAYER_ID}.")
        found.append(value)
    return min(found, default=None)


def _medium(state: MediumState) -> dict[str, Any]:
    active: list[dict[str, Any]] = []
    inactive: list[dict[str, Any]] = []
    for index, encoding in enumerate(state.encodings):
        known = {"id": encoding.id, "simulcastIdx": index} | _size(encoding.size())
        if encoding.active:
            active.append(known | _bitrate(encoding))
        else:
            inactive.append(known)
    layers = [
        layer for index, encoding in enumerate(state.encodings) if encoding.active for layer in _layers(index, encoding)
    ]
    document: dict[str, Any] = {"active": active, "inactive": inactive, "layers": layers}
    for name, flow in (("current", state.current), ("target", state.target)):
        if flow is not None and flow.encoding < len(state.encodings):  # the publisher may have changed
            document[name] = _flow(flow, state.encodings[flow.encoding])
    if (preferred := state.preferred) is not None:
        document["preferred"] = _ids(preferred.encoding, preferred.spatial, preferred.temporal)
    return document


def _layers(index: int, encoding: EncodingState) -> Iterator[dict[str, Any]]:
    """The layers of an encoding, the lowest first. The last, which includes all, has the bit rate."""
    highest = encoding.spatial or 0, encoding.temporal or 0
    for spatial in range(highest[0] + 1):
        size = _size(encoding.size(spatial if highest[0] else None))
        for temporal in range(highest[1] + 1):
            layer = _flow(Flow(index, spatial, temporal), encoding) | {"simulcastIdx": index} | size
            yield layer | _bitrate(encoding) if (spatial, temporal) == highest else layer


def _flow(flow: Flow, encoding: EncodingState) -> dict[str, object]:
    """An encoding and its highest layers, of each kind of which it has more than one."""
    spatial = min(flow.spatial, encoding.spatial) if encoding.spatial else None
    temporal = min(flow.temporal, encoding.temporal) if encoding.temporal else None
    return _ids(encoding.id, spatial, temporal)


def _ids(encoding: str | None, spatial: int | None, temporal: int | None) -> dict[str, object]:
    """The ids of a layer, without those that are None."""
    ids = {"encodingId": encoding, "spatialLayerId": spatial, "temporalLayerId": temporal}
    return {name: value for name, value in ids.items() if value is not None}


def _size(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]} if size[0] else {}


def _bitrate(encoding: EncodingState) -> dict[str, int]:
    return {"bitrate": encoding.bitrate_bps} if encoding.bitrate_bps is not None else {}


def _bad(detail: str) -> Problem:
    return Problem(400, detail, kind="invalid-layers")
