"""Trickle ICE fragments (RFC 8840): the body of a client's PATCH, and of the answer to an ICE restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .description import SdpError
from .sdp import read_lines
from .sdp_attributes import MAX_CANDIDATES, read_value

CONTENT_TYPE = "application/trickle-ice-sdpfrag"

_FLAGS = ("end-of-candidates", "ice-lite")


@dataclass(frozen=True, slots=True)
class Fragment:
    """ICE credentials and candidates of a bundled session.

    Empty credentials stand for the current ones; other credentials request an ICE restart (RFC 9725 section 4.3.3).
    """

    ice_ufrag: str = ""
    ice_pwd: str = ""
    candidates: tuple[str, ...] = ()  # each as "candidate:..."
    end_of_candidates: bool = False
    mids: tuple[str, ...] = ()
    ice_lite: bool = False

    def render(self) -> str:
        """The fragment as text with CRLF line ends; the candidates are on the first medium."""
        return "".join(f"{line}\r\n" for line in self._lines())

    __str__ = render

    def _lines(self) -> Iterator[str]:
        if self.ice_lite:
            yield "a=ice-lite"
        if len(self.mids) > 1:
            yield " ".join(["a=group:BUNDLE", *self.mids])
        if self.ice_ufrag:
            yield f"a=ice-ufrag:{self.ice_ufrag}"
            yield f"a=ice-pwd:{self.ice_pwd}"
        for mid in self.mids[:1]:
            yield from _pseudo_media(mid)
        for candidate in self.candidates:
            yield f"a={candidate}"
        if self.end_of_candidates:
            yield "a=end-of-candidates"
        for mid in self.mids[1:]:
            yield from _pseudo_media(mid)


def parse_fragment(text: str) -> Fragment:
    """Parses a fragment. Uses the first credentials, because all media are bundled.

    Raises SdpError for text that is malformed or has only one of ufrag and password.
    """
    credentials = {"ice-ufrag": "", "ice-pwd": ""}
    candidates: list[str] = []
    mids: list[str] = []
    flags: set[str] = set()
    for kind, line in read_lines(text):
        name, _, value = line.partition(":")
        if kind != "a":
            continue
        if name in credentials:
            credentials[name] = credentials[name] or read_value(name, value)[0]
        elif name == "mid":
            mids.append(read_value(name, value)[0])
        elif name == "candidate":
            if len(candidates) < MAX_CANDIDATES:
                candidates.append(line)
        elif name in _FLAGS:
            flags.add(name)
    ufrag, pwd = credentials.values()
    if bool(ufrag) != bool(pwd):
        raise SdpError("A fragment has both a=ice-ufrag and a=ice-pwd, or neither.")
    end = "end-of-candidates" in flags
    return Fragment(ufrag, pwd, tuple(candidates), end, tuple(mids), ice_lite="ice-lite" in flags)


def _pseudo_media(mid: str) -> Iterator[str]:
    yield "m=audio 9 UDP/TLS/RTP/SAVPF 0"  # RFC 8840 section 9: only carries the mid
    yield f"a=mid:{mid}"
