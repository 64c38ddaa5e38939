"""Reads the encodings of a publisher's medium: simulcast by RID (RFC 8853), or by SSRC (RFC 5576)."""

from __future__ import annotations

from collections.abc import Collection

from ..media.engine import Encoding, Extension, PayloadType
from .bundle import NegotiationError
from .description import Media, Rid, RidRef, Simulcast

MAX_ENCODINGS = 4
MAX_RID_CHARS = 16  # the limit of a one-byte header extension (RFC 8285 section 4.2)


def accept_encodings(
    offer: Media, answer: Media, payload_types: tuple[PayloadType, ...], extensions: Collection[Extension]
) -> tuple[Encoding, ...]:
    """Accepts up to 4 encodings, in the order of the offer, and writes them into the answer.

    SSRCs beside RIDs are ignored: SDP does not map them to RIDs, the RID extension does.
    Raises NegotiationError for a RID that is too long, SdpError for a malformed line where the offer has RIDs.
    """
    if offer.rids or offer.simulcast:
        offer.require("rid", "simulcast")
    numbers = {accepted.pt for accepted in payload_types}
    rids = {rid.id: rid for rid in offer.rids if rid.direction == "send" and _carries(rid, numbers)}
    streams = _streams(offer, rids)[:MAX_ENCODINGS] if Extension.RID in extensions else ()
    if not streams:
        return encodings_by_ssrc(offer)
    for ref in streams:
        if len(ref.id) > MAX_RID_CHARS:
            raise NegotiationError(f"The rid {ref.id[:80]!r} is longer than {MAX_RID_CHARS} characters.")
        rid = rids[ref.id]
        formats = tuple(pt for pt in rid.payload_types if pt in numbers)
        answer.rids.append(Rid(rid.id, "recv", formats, rid.restrictions))
    answer.simulcast = Simulcast(recv=tuple((ref,) for ref in streams))
    return tuple(Encoding(rid=ref.id) for ref in streams)


def _carries(rid: Rid, numbers: set[int]) -> bool:
    return not rid.payload_types or not numbers.isdisjoint(rid.payload_types)


def _streams(offer: Media, rids: dict[str, Rid]) -> tuple[RidRef, ...]:
    """The first usable alternative of each stream; each RID once."""
    chosen: dict[str, RidRef] = {}
    for alternatives in offer.simulcast.send if offer.simulcast else ():
        usable = [ref for ref in alternatives if ref.id in rids and ref.id not in chosen]
        if usable:
            chosen[usable[0].id] = usable[0]
    return tuple(chosen.values())


def encodings_by_ssrc(offer: Media) -> tuple[Encoding, ...]:
    """The encodings of a medium by SSRC; one with an unknown SSRC, to be learnt, if the sender declares none."""
    pairs = [group.ssrcs for group in offer.ssrc_groups if group.semantics == "FID" and len(group.ssrcs) == 2]
    rtx = {pair[0]: pair[1] for pair in pairs}
    simulcast = next((group.ssrcs for group in offer.ssrc_groups if group.semantics == "SIM"), ())
    repairs = {ssrc for group in offer.ssrc_groups if group.semantics in ("FID", "FEC-FR") for ssrc in group.ssrcs[1:]}
    media = list(dict.fromkeys(simulcast)) or [ssrc for ssrc in offer.ssrcs if ssrc not in repairs][:1]
    return tuple(Encoding("", ssrc, rtx.get(ssrc, 0)) for ssrc in media[:MAX_ENCODINGS]) or (Encoding(),)
