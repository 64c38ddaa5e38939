"""Reads viewers' offers. Offers of one browser differ in a few lines, so their common part is parsed only once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..media.engine import ProducerSpec
from .bundle import HASHES, RemoteTransport, remote_transport
from .description import SdpError, SessionDescription
from .kept import Kept
from .negotiate import Agreement, agree
from .sdp import MAX_LINES, parse
from .sdp_attributes import read_value

_KEPT_CHARS = 1 << 20  # of cached offers; the parsed form takes at most ten times as much memory
_MAX_CHARS = 16_384  # of a cached offer; browsers write less

# Replacements of the lines that differ by client.
_STAND_INS = {
    "ice-ufrag": f"a=ice-ufrag:{'0' * 4}",
    "ice-pwd": f"a=ice-pwd:{'0' * 22}",
    "fingerprint": "a=fingerprint:sha-256 00",
}
_OWN = tuple(f"a={name}:" for name in _STAND_INS)
# The server does not read candidates, their addresses, and the originator of the offer.
_UNREAD = ("a=candidate:", "a=rtcp:", "c=", "o=")
_APART = (*_OWN, *_UNREAD, "m=")


@dataclass(frozen=True, slots=True, eq=False)
class OfferKind:
    """The common part of equal offers: a read-only description, and the transport of one of them.

    Compares by identity. `alike` is the common text, empty for an offer that is not cached.
    """

    description: SessionDescription
    remote: RemoteTransport
    alike: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer: its kind, and the transport of its client."""

    kind: OfferKind
    remote: RemoteTransport


class Offers:
    """Reads and answers the offers of a node's viewers, with a cache of kinds and agreements."""

    def __init__(self) -> None:
        self._kinds: Kept[str, OfferKind] = Kept(_KEPT_CHARS)
        self._agreements: Kept[tuple[int, OfferKind], Agreement] = Kept(_KEPT_CHARS)

    def read(self, text: str) -> Offer:
        """Reads an offer as `parse` does, and finds its transport. Raises SdpError, NegotiationError."""
        alike, own = _take_apart(text) if len(text) <= _MAX_CHARS and text.count("\n") <= MAX_LINES else ("", {})
        hash_name, digest = own.get("fingerprint", ("", ""))
        if len(own) < len(_STAND_INS) or hash_name.lower() not in HASHES:
            kind = _read(text, "")
            return Offer(kind, kind.remote)
        kind = self._kinds.get(alike) or _read(alike, alike)
        ufrag, pwd, setup = own["ice-ufrag"][0], own["ice-pwd"][0], kind.remote.setup
        return Offer(kind, RemoteTransport(ufrag, pwd, ((hash_name.lower(), digest.upper()),), setup))

    def agree(self, kind: OfferKind, publication: int, sources: Iterable[ProducerSpec]) -> Agreement:
        """The agreement between an offer to watch and the publication of this number, which sends `sources`.

        Only offers that can be answered are cached. Raises NegotiationError.
        """
        agreement = self._agreements.get((publication, kind))
        if agreement is None:
            agreement = agree(kind.description, sources)
            if kind.alike:
                self._kinds.put(kind.alike, kind, len(kind.alike))
                self._agreements.put((publication, kind), agreement, len(kind.alike))
        return agreement


def _take_apart(text: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The common text of an offer, and the fields of its own attributes; empty if an own attribute has two values."""
    values: dict[str, str] = {}
    alike = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.startswith(_APART):
            alike.append(line)
        elif line.startswith(_OWN):
            name, _, value = line[2:].partition(":")
            if values.setdefault(name, value) != value:
                return "", {}
            alike.append(_STAND_INS[name])
        elif line.startswith("m="):
            alike.append(_without_port(line))
    try:
        own = {name: read_value(name, value) for name, value in values.items()}
    except SdpError:
        return "", {}
    return "\n".join(alike), own


def _without_port(line: str) -> str:
    """A media line with the port of a client that has not gathered candidates."""
    kind, _, rest = line.partition(" ")
    port, _, rest = rest.partition(" ")
    return f"{kind} 9 {rest}" if port.isdecimal() and port.isascii() and 0 < int(port) <= 65_535 else line


def _read(text: str, alike: str) -> OfferKind:
    description = parse(text)
    return OfferKind(description, remote_transport(description), alike)
