"""Selects the RTP header extensions of an offered medium that the server accepts (RFC 8285)."""

from __future__ import annotations

from ..media.engine import Codec, Extension, PayloadType
from .description import Direction, ExtMap, Media
from .sdp import EXTENSION_URIS

# Both describe one hop only, and the server does not read them.
_NEVER = {Extension.VIDEO_TIMING, Extension.TRANSMISSION_OFFSET}
_NEVER_TO_VIEWERS = _NEVER | {Extension.RID, Extension.REPAIRED_RID, Extension.LAYERS_ALLOCATION}
_REVERSED = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}


def extensions_from_publisher(offer: Media, payload_types: tuple[PayloadType, ...]) -> dict[Extension, int]:
    """The extensions of a publisher with their ids (1-255). The first of `payload_types` is the preferred one.

    The dependency descriptor is not accepted for VP8: with it libwebrtc omits picture ids and layers from the payload.
    """
    unwanted = _NEVER | {Extension.DEPENDENCY_DESCRIPTOR} if payload_types[0].codec is Codec.VP8 else _NEVER
    return _offered(offer, Direction.SENDONLY, unwanted, 255)


def extensions_to_viewer(offer: Media) -> dict[Extension, int]:
    """The extensions that the server may send to a viewer, with their ids.

    Ids above 14 need the two-byte form, so they are accepted only from viewers that support both forms.
    """
    return _offered(offer, Direction.RECVONLY, _NEVER_TO_VIEWERS, 255 if offer.extmap_allow_mixed else 14)


def write_extensions(answer: Media, offer: Media, extensions: dict[Extension, int]) -> None:
    """Puts accepted extensions into an answer, with the directions of the answerer (RFC 8285 section 6)."""
    for number in extensions.values():
        offered = offer.extmaps[number]
        direction = _REVERSED.get(offered.direction) if offered.direction else None
        answer.extmaps[number] = ExtMap(offered.uri, direction)


def _offered(offer: Media, flow: Direction, unwanted: set[Extension], highest_id: int) -> dict[Extension, int]:
    found: dict[Extension, int] = {}
    for number, entry in offer.extmaps.items():
        extension = EXTENSION_URIS.get(entry.uri)
        flows = entry.direction in (None, Direction.SENDRECV, flow)
        fits = 1 <= number <= highest_id and number != 15  # 15 ends a block of the one-byte form
        if extension is not None and extension not in unwanted and flows and fits:
            found.setdefault(extension, number)
    return found
