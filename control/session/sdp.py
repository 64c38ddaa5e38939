"""Reads session descriptions (RFC 8866 and the WebRTC attributes of RFC 9429): any text gives one, or SdpError."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..media.engine import Extension
from .description import (
    Direction,
    ExtMap,
    Feedback,
    Group,
    Media,
    Origin,
    Rid,
    RidRef,
    RtpMap,
    SessionDescription,
    Simulcast,
    SsrcGroup,
)

__all__ = [
    "EXTENSION_URIS",
    "Media",
    "SdpError",
    "SessionDescription",
    "match_attribute",
    "matched",
    "parse",
    "read_lines",
    "read_origin",
    "split_attribute",
]

_KNOWN_CHARS = 256  # values this long are worth remembering
MAX_CHARS = 65_536  # five times what a browser with every codec and many addresses writes

EXTENSION_URIS: dict[str, Extension] = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": Extension.MID,
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": Extension.RID,
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": Extension.REPAIRED_RID,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": Extension.ABS_SEND_TIME,
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": Extension.TRANSPORT_CC,
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": Extension.AUDIO_LEVEL,
    "urn:3gpp:video-orientation": Extension.VIDEO_ORIENTATION,
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay": Extension.PLAYOUT_DELAY,
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type": Extension.VIDEO_CONTENT_TYPE,
    "http://www.webrtc.org/experiments/rtp-hdrext/video-timing": Extension.VIDEO_TIMING,
    "http://www.webrtc.org/experiments/rtp-hdrext/color-space": Extension.COLOR_SPACE,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time": Extension.ABS_CAPTURE_TIME,
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": (
        Extension.DEPENDENCY_DESCRIPTOR
    ),
    "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00": Extension.LAYERS_ALLOCATION,
    "urn:ietf:params:rtp-hdrext:toffset": Extension.TRANSMISSION_OFFSET,
    "urn:ietf:params:rtp-hdrext:csrc-audio-level": Extension.CSRC_AUDIO_LEVEL,
}

_TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"  # RFC 8866 section 9
_RID = r"[A-Za-z0-9_-]{1,255}"  # RFC 8851 section 10, and the length of a header extension
_STREAMS = rf"~?{_RID}(?:[,;]~?{_RID})*"  # RFC 8853 section 5.1
_DIRECTION = "sendrecv|sendonly|recvonly|inactive"
_LINE = re.compile(r"([abceikmoprstuvz])=([^\x00\r]*)", re.DOTALL)
_ORIGIN = re.compile(r"(\S+) ([0-9]{1,20}) ([0-9]{1,20}) IN IP[46] \S+")
_MEDIA = re.compile(rf"({_TOKEN}) ([0-9]{{1,5}})(?:/[0-9]+)? ({_TOKEN}(?:/{_TOKEN})*)((?: {_TOKEN})+)")
_PATTERNS = {
    name: re.compile(pattern)
    for name, pattern in {
        "mid": rf"({_TOKEN})",
        "group": rf"({_TOKEN})((?: {_TOKEN})*) *",
        "ice-ufrag": r"([A-Za-z0-9+/]{4,256})",
        "ice-pwd": r"([A-Za-z0-9+/]{22,256})",
        "fingerprint": rf"({_TOKEN}) +((?:[0-9A-Fa-f]{{2}}:){{0,127}}[0-9A-Fa-f]{{2}})",
        "setup": r"(active|passive|actpass|holdconn)",
        "rtpmap": rf"([0-9]{{1,3}}) ({_TOKEN})/([0-9]{{1,9}})(?:/([0-9]{{1,3}}))? *",
        "fmtp": r"([0-9]{1,3}) (.*)",
        "rtcp-fb": rf"([0-9]{{1,3}}|\*) ({_TOKEN}(?: .*)?)",
        "extmap": rf"([0-9]{{1,5}})(?:/({_DIRECTION}))? (\S+)(?: .*)?",
        "msid": r"(\S+(?: \S+)?) *",
        "ssrc": r"([0-9]{1,10}) ([^ :]+)(?::(.*))?",
        "ssrc-group": r"(\S+)((?: [0-9]{1,10})*) *",
        "rid": rf"({_RID}) (send|recv)(?: (.*))?",
        "simulcast": rf"(send|recv) ({_STREAMS})(?: (send|recv) ({_STREAMS}))? *",
    }.items()
}
_DIRECTIONS = {str(direction): direction for direction in Direction}
_FLAGS = {
    "rtcp-mux": "rtcp_mux",
    "rtcp-rsize": "rtcp_rsize",
    "bundle-only": "bundle_only",
    "end-of-candidates": "end_of_candidates",
    "extmap-allow-mixed": "extmap_allow_mixed",
}


class SdpError(ValueError):
    """The text is no session description. The message quotes the line and says what is wrong with it."""


def parse(text: str) -> SessionDescription:
    """Reads an offer or an answer; lines end in CRLF or LF. Attributes that nobody here needs are left out.

    Raises SdpError for text that is malformed, longer than MAX_CHARS, or contradicts itself.
    """
    lines = read_lines(text)
    if next(lines, None) != ("v", "0"):
        raise SdpError("A session description starts with the line v=0.")
    kind, origin = next(lines, ("", ""))
    description = SessionDescription(origin=read_origin(origin if kind == "o" else ""))
    session = Media("session")  # what holds for all media
    section = session
    for kind, value in lines:
        if kind == "m":
            section = _media(value, session)
            description.medias.append(section)
        elif kind == "a" and section is session:
            _read_session_attribute(description, session, *split_attribute(value))
        elif kind == "a":
            _read_attribute(section, *split_attribute(value))
    for media in description.medias:
        media.fingerprints = media.fingerprints or list(session.fingerprints)
        media.extmaps = {**session.extmaps, **media.extmaps}
        _refuse_repeated("rid", [rid.id for rid in media.rids])
    _refuse_repeated("mid", [media.mid for media in description.medias if media.mid])
    return description


def read_lines(text: str) -> Iterator[tuple[str, str]]:
    """The type and value of each line. Raises SdpError where a line is none."""
    if len(text) > MAX_CHARS:
        raise SdpError(f"The description is longer than {MAX_CHARS} characters.")
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if line:
            found = _LINE.fullmatch(line)
            if not found:
                raise SdpError(f"Not a line of a session description: {_quoted(line)}.")
            yield found[1], found[2]


def split_attribute(value: str) -> tuple[str, str]:
    """The name and the value (or "") of an a= line."""
    name, _, rest = value.partition(":")
    return name, rest


def matched(name: str, value: str) -> tuple[str, ...]:
    """The fields of an attribute whose grammar is known here. Raises SdpError where it is not followed."""
    return _known(name, value) if len(value) <= _KNOWN_CHARS else match_attribute(name, value)


def match_attribute(name: str, value: str) -> tuple[str, ...]:
    """As `matched`, for values that are not worth remembering."""
    found = _PATTERNS[name].fullmatch(value)
    if not found:
        raise SdpError(f"The attribute is malformed: {_quoted(f'a={name}:{value}')}.")
    return tuple(group or "" for group in found.groups())


# Offers of one browser differ in a few lines only.
_known = lru_cache(4096)(match_attribute)


def read_origin(value: str) -> Origin:
    """What the o= line says. Raises SdpError."""
    found = _ORIGIN.fullmatch(value)
    if not found:
        raise SdpError("The second line of a session description is o=<user> <id> <version> IN IP4 <address>.")
    return Origin(int(found[2]), int(found[3]), found[1])


def _media(value: str, session: Media) -> Media:
    found = _MEDIA.fullmatch(value)
    if not found or int(found[2]) > 65_535:
        raise SdpError(f"The media line is malformed: {_quoted(f'm={value}')}.")
    kind, port, protocol, formats = found.groups()
    media = Media(
        kind,
        int(port),
        protocol,
        formats.split(),
        direction=session.direction,
        ice_ufrag=session.ice_ufrag,
        ice_pwd=session.ice_pwd,
        setup=session.setup,
        extmap_allow_mixed=session.extmap_allow_mixed,
    )
    if "RTP/" in protocol:
        for name in media.formats:
            _number(name, 127, "payload type")
    _refuse_repeated("format", media.formats)
    return media


def _read_session_attribute(description: SessionDescription, session: Media, name: str, value: str) -> None:
    match name:
        case "group":
            semantics, mids = matched(name, value)
            description.groups.append(Group(semantics, tuple(mids.split())))
        case "ice-lite":
            description.ice_lite = True
        case _:
            _read_attribute(session, name, value)


def _read_attribute(media: Media, name: str, value: str) -> None:
    if name in _FLAGS:
        setattr(media, _FLAGS[name], True)
    elif name in _DIRECTIONS:
        media.direction = _DIRECTIONS[name]
    elif name == "candidate":
        media.candidates.append(f"candidate:{value}")
    elif name in _PATTERNS:
        fields = matched(name, value)
        try:
            _read_fields(media, name, fields)
        except SdpError as error:
            raise SdpError(f"{error} The line: {_quoted(f'a={name}:{value}')}.") from None


def _read_fields(media: Media, name: str, fields: tuple[str, ...]) -> None:
    match name, *fields:
        case "mid", mid:
            media.mid = mid
        case "ice-ufrag", ufrag:
            media.ice_ufrag = ufrag
        case "ice-pwd", pwd:
            media.ice_pwd = pwd
        case "fingerprint", hash_name, digest:
            media.fingerprints.append((hash_name.lower(), digest.upper()))
        case "setup", role:
            media.setup = role
        case "rtpmap", pt, encoding, clock_rate, channels:
            media.rtpmaps[_payload_type(pt)] = RtpMap(encoding, int(clock_rate), int(channels or 1))
        case "fmtp", pt, parameters:
            media.fmtp[_payload_type(pt)] = parameters.strip()
        case "rtcp-fb", pt, feedback:
            media.rtcp_fb.append(Feedback(None if pt == "*" else _payload_type(pt), feedback.strip()))
        case "extmap", number, direction, uri:
            if int(number) in media.extmaps:
                raise SdpError(f"The header extension id {number} is there twice for one medium.")
            media.extmaps[int(number)] = ExtMap(uri, Direction(direction) if direction else None)
        case "msid", msid:
            media.msids.append(msid)
        case "ssrc", ssrc, attribute, text:
            media.ssrcs.setdefault(_ssrc(ssrc), {})[attribute] = text
        case "ssrc-group", semantics, ssrcs:
            media.ssrc_groups.append(SsrcGroup(semantics, tuple(map(_ssrc, ssrcs.split()))))
        case "rid", rid, direction, restrictions:
            media.rids.append(_rid(rid, direction, restrictions))
        case "simulcast", *streams:
            directions = dict(zip(streams[::2], streams[1::2], strict=True))
            media.simulcast = Simulcast(
                _simulcast_streams(directions.get("send", "")), _simulcast_streams(directions.get("recv", ""))
            )


def _rid(rid: str, direction: str, text: str) -> Rid:
    restrictions = [part.strip() for part in text.split(";")]
    formats = [part.removeprefix("pt=") for part in restrictions if part.startswith("pt=")]
    payload_types = tuple(_payload_type(pt) for part in formats for pt in part.split(","))
    return Rid(rid, direction, payload_types, tuple(p for p in restrictions if p and not p.startswith("pt=")))


def _simulcast_streams(text: str) -> tuple[tuple[RidRef, ...], ...]:
    return tuple(
        tuple(RidRef(ref.removeprefix("~"), ref.startswith("~")) for ref in stream.split(","))
        for stream in text.split(";")
        if stream
    )


def _payload_type(text: str) -> int:
    return _number(text, 127, "payload type")


def _ssrc(text: str) -> int:
    return _number(text, 0xFFFF_FFFF, "SSRC")


def _number(text: str, highest: int, what: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > highest:
        raise SdpError(f"{_quoted(text)} is no {what}: a number from 0 to {highest} is.")
    return int(text)


def _refuse_repeated(what: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        repeated = Counter(values).most_common(1)[0][0]
        raise SdpError(f"The {what} {_quoted(repeated)} is there twice: each must be another.")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
