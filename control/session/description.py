"""A session description as plain data, and its rendering as text (RFC 8866, RFC 9429)."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field


class SdpError(ValueError):
    """The text is not a session description, or a needed value is malformed. The message names the line."""


class Direction(enum.StrEnum):
    """The direction of media, from the view of the description's author (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line: a session id (a 63-bit number in WebRTC) and the version of its description."""

    session_id: int = 0
    version: int = 1
    username: str = "-"


@dataclass(frozen=True, slots=True)
class Group:
    """An a=group line (RFC 5888): media, by their mids, that belong together; semantics such as BUNDLE or LS."""

    semantics: str
    mids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RtpMap:
    """The format of a payload type (RFC 8866 section 6.6). Encoding names are case-insensitive."""

    encoding: str
    clock_rate_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class ExtMap:
    """An RTP header extension (RFC 8285 section 8); no direction means the direction of the medium."""

    uri: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    """An a=ssrc-group line (RFC 5576 section 4.2): FID pairs media with its RTX, SIM lists simulcast encodings."""

    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rid:
    """An a=rid line (RFC 8851): an encoding's name, `send` or `recv`, and its restrictions."""

    id: str
    direction: str
    payload_types: tuple[int, ...] = ()
    restrictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RidRef:
    """A RID in an a=simulcast line; a paused one (`~`) is negotiated but not sent yet (RFC 8853 section 5.1)."""

    id: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Simulcast:
    """An a=simulcast line (RFC 8853): for each direction its streams, and for each stream its alternatives."""

    send: tuple[tuple[RidRef, ...], ...] = ()
    recv: tuple[tuple[RidRef, ...], ...] = ()


@dataclass(slots=True)
class Media:
    """One m-line and its attributes.

    Session-level attributes (ICE, DTLS, extensions, direction) are copied to each medium.
    A port of 0 means rejected, unless `bundle_only` is set (RFC 9143 section 6).
    """

    kind: str
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: list[str] = field(default_factory=list)
    mid: str = ""
    direction: Direction = Direction.SENDRECV
    ice_ufrag: str = ""
    ice_pwd: str = ""
    fingerprints: list[tuple[str, str]] = field(default_factory=list)  # hash name, hex digits in pairs
    setup: str = ""
    candidates: list[str] = field(default_factory=list)  # each as "candidate:..."
    end_of_candidates: bool = False
    bundle_only: bool = False
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    rtpmaps: dict[int, RtpMap] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    rtcp_fb: dict[int | None, tuple[str, ...]] = field(default_factory=dict)  # by payload type; None stands for `*`
    extmap_allow_mixed: bool = False
    extmaps: dict[int, ExtMap] = field(default_factory=dict)
    msids: list[str] = field(default_factory=list)  # each "stream track" or "stream"
    ssrcs: dict[int, dict[str, str]] = field(default_factory=dict)  # SSRC to attribute to value
    ssrc_groups: list[SsrcGroup] = field(default_factory=list)
    rids: list[Rid] = field(default_factory=list)
    simulcast: Simulcast | None = None
    malformed: dict[str, str] = field(default_factory=dict, compare=False, repr=False)  # error by attribute

    def require(self, *attributes: str) -> None:
        """Raises SdpError if one of these attributes is malformed. To be called before their values are used."""
        for name in attributes:
            if name in self.malformed:
                raise SdpError(self.malformed[name])

    @property
    def rejected(self) -> bool:
        return self.port == 0 and not self.bundle_only

    @property
    def payload_types(self) -> list[int]:
        """The m-line's payload types (0-127) in order of preference; empty for protocols other than RTP."""
        return [int(name) for name in self.formats] if "RTP/" in self.protocol else []

    def feedback(self, payload_type: int) -> set[str]:
        """The feedback that is offered for a payload type (RFC 4585 section 4.2), `*` lines included."""
        return {*self.rtcp_fb.get(payload_type, ()), *self.rtcp_fb.get(None, ())}

    def lines(self) -> Iterator[str]:
        """The section's lines, without line ends."""
        yield f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"
        yield "c=IN IP4 0.0.0.0"
        if self.mid:
            yield f"a=mid:{self.mid}"
        yield f"a={self.direction}"
        yield from self._transport_lines()
        yield from self._rtp_lines()
        yield from self._source_lines()

    def _transport_lines(self) -> Iterator[str]:
        if self.bundle_only:
            yield "a=bundle-only"
        if self.ice_ufrag:
            yield f"a=ice-ufrag:{self.ice_ufrag}"
        if self.ice_pwd:
            yield f"a=ice-pwd:{self.ice_pwd}"
        for name, digest in self.fingerprints:
            yield f"a=fingerprint:{name} {digest}"
        if self.setup:
            yield f"a=setup:{self.setup}"
        for candidate in self.candidates:
            yield f"a={candidate}"
        if self.end_of_candidates:
            yield "a=end-of-candidates"
        if self.rtcp_mux:
            yield "a=rtcp-mux"
        if self.rtcp_rsize:
            yield "a=rtcp-rsize"

    def _rtp_lines(self) -> Iterator[str]:
        for pt, rtpmap in self.rtpmaps.items():
            channels = f"/{rtpmap.channels}" if rtpmap.channels != 1 else ""
            yield f"a=rtpmap:{pt} {rtpmap.encoding}/{rtpmap.clock_rate_hz}{channels}"
        for pt, parameters in self.fmtp.items():
            yield f"a=fmtp:{pt} {parameters}"
        for payload_type, values in self.rtcp_fb.items():
            for value in values:
                yield f"a=rtcp-fb:{'*' if payload_type is None else payload_type} {value}"
        if self.extmap_allow_mixed:
            yield "a=extmap-allow-mixed"
        for number, extension in self.extmaps.items():
            suffix = f"/{extension.direction}" if extension.direction else ""
            yield f"a=extmap:{number}{suffix} {extension.uri}"

    def _source_lines(self) -> Iterator[str]:
        for msid in self.msids:
            yield f"a=msid:{msid}"
        for group in self.ssrc_groups:
            yield " ".join([f"a=ssrc-group:{group.semantics}", *map(str, group.ssrcs)])
        for ssrc, attributes in self.ssrcs.items():
            for name, value in attributes.items():
                yield f"a=ssrc:{ssrc} {name}:{value}" if value else f"a=ssrc:{ssrc} {name}"
        for rid in self.rids:
            formats = [f"pt={','.join(map(str, rid.payload_types))}"] if rid.payload_types else []
            restrictions = ";".join([*formats, *rid.restrictions])
            yield f"a=rid:{rid.id} {rid.direction} {restrictions}".rstrip()
        if self.simulcast:
            yield f"a=simulcast:{_simulcast_text(self.simulcast)}"


@dataclass(slots=True)
class SessionDescription:
    """An offer or an answer."""

    origin: Origin = field(default_factory=Origin)
    groups: list[Group] = field(default_factory=list)
    ice_lite: bool = False
    medias: list[Media] = field(default_factory=list)

    def bundle(self) -> tuple[str, ...]:
        """The mids of the first BUNDLE group (RFC 9143), its tagged medium first; empty where there is none."""
        return next((group.mids for group in self.groups if group.semantics == "BUNDLE"), ())

    def render(self) -> str:
        """The description as text with CRLF line ends. Raises ValueError where a value holds a line end."""
        lines = [*self._session_lines(), *(line for media in self.medias for line in media.lines())]
        text = "\r\n".join([*lines, ""])
        if not text.count("\r") == text.count("\n") == len(lines) or "\0" in text:
            raise ValueError("a value of the session description holds a line end")
        return text

    __str__ = render

    def _session_lines(self) -> Iterator[str]:
        yield "v=0"
        yield f"o={self.origin.username} {self.origin.session_id} {self.origin.version} IN IP4 127.0.0.1"
        yield "s=-"
        yield "t=0 0"
        for group in self.groups:
            yield " ".join([f"a=group:{group.semantics}", *group.mids])
        if self.ice_lite:
            yield "a=ice-lite"


def _simulcast_text(simulcast: Simulcast) -> str:
    def streams(alternatives: tuple[tuple[RidRef, ...], ...]) -> str:
        return ";".join(",".join(f"~{ref.id}" if ref.paused else ref.id for ref in stream) for stream in alternatives)

    directions = (("send", simulcast.send), ("recv", simulcast.recv))
    return " ".join(f"{name} {streams(value)}" for name, value in directions if value)
