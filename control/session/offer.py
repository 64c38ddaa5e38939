"""Viewers' offers: those of one browser differ in a few lines, so what they have in common is read only once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .bundle import HASHES, RemoteTransport, remote_transport
from .description import SessionDescription
from .sdp import SdpError, match_attribute, parse, read_origin, split_attribute

_KINDS = 64  # are remembered
_MAX_CHARS = 16_384  # of those; no browser writes more

# What stands for the lines that are a client's own. Candidates, and the addresses that come with them, are not read.
_ORIGIN = "o=- 0 0 IN IP4 0.0.0.0"
_STAND_INS = {
    "ice-ufrag": f"a=ice-ufrag:{'0' * 4}",
    "ice-pwd": f"a=ice-pwd:{'0' * 22}",
    "fingerprint": "a=fingerprint:sha-256 00",
}
_OWN = tuple(f"a={name}:" for name in _STAND_INS)
_APART = (*_OWN, "m=", "a=candidate:", "a=rtcp:", "c=")


@dataclass(frozen=True, slots=True, eq=False)
class OfferKind:
    """What alike offers have in common: a description of one of them, for reading only, and who offers.

    Each compares equal to itself only, so that what follows from it can be kept by it.
    """

    description: SessionDescription
    remote: RemoteTransport


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer, and what of it is its client's own."""

    kind: OfferKind
    remote: RemoteTransport


def read_offer(text: str) -> Offer:
    """Reads an offer as `parse` does, and finds its transport. Raises SdpError, NegotiationError."""
    alike, own = _take_apart(text) if len(text) <= _MAX_CHARS else ("", {})
    hash_name, digest = own.get("fingerprint", ("", ""))
    if len(own) < len(_STAND_INS) or hash_name.lower() not in HASHES:
        kind = _read(text)  # it is like no other
        return Offer(kind, kind.remote)
    kind = _read_alike(alike)
    ufrag, pwd, setup = own["ice-ufrag"][0], own["ice-pwd"][0], kind.remote.setup
    return Offer(kind, RemoteTransport(ufrag, pwd, ((hash_name.lower(), digest.upper()),), setup))


def _take_apart(text: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """What an offer has in common with others, and its own attributes. Nothing is its own that is there in two ways."""
    values: dict[str, str] = {}
    alike = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.startswith(_APART):
            alike.append(line)
        elif line.startswith(_OWN):
            name, value = split_attribute(line[2:])
            if values.setdefault(name, value) != value:
                return "", {}
            alike.append(_STAND_INS[name])
        elif line.startswith("m="):
            alike.append(_without_port(line))
        elif not line.isprintable():
            alike.append(line)
    try:
        if alike[1:2] and alike[1].startswith("o="):
            read_origin(alike[1][2:])
            alike[1] = _ORIGIN
        own = {name: match_attribute(name, value) for name, value in values.items()}
    except SdpError:
        return "", {}
    return "\n".join(alike), own


def _without_port(line: str) -> str:
    """A media line as of a client that has not gathered candidates."""
    kind, _, rest = line.partition(" ")
    port, _, rest = rest.partition(" ")
    return f"{kind} 9 {rest}" if port.isdecimal() and port.isascii() and 0 < int(port) <= 65_535 else line


def _read(text: str) -> OfferKind:
    description = parse(text)
    return OfferKind(description, remote_transport(description))


_read_alike = lru_cache(_KINDS)(_read)
