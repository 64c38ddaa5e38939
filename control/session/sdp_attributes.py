"""The known attributes of a session description: the grammar of each, and the field that holds its value.

Each has a bound, beyond what clients write, so that no text can make a description that is large or slow to use.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sized

from .description import (
    Direction,
    ExtMap,
    Group,
    Media,
    Origin,
    Rid,
    RidRef,
    RtpMap,
    SdpError,
    Simulcast,
    SsrcGroup,
)

MAX_VALUE_CHARS = 4_096
MAX_CANDIDATES = 64  # further ones are ignored: the server reads none of an offer
MAX_FINGERPRINTS = 16
MAX_EXTMAPS = 64
MAX_FEEDBACK_PER_PAYLOAD_TYPE = 16
MAX_FMTP_PARAMETERS = 32
MAX_SSRCS = 64
MAX_ATTRIBUTES_PER_SSRC = 8
MAX_SSRC_GROUPS = 32
MAX_MSIDS = 16
MAX_RIDS = 32

_TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"  # RFC 8866 section 9
_RID = r"[A-Za-z0-9_-]{1,255}"  # RFC 8851 section 10, and the length of a header extension
_STREAMS = rf"~?{_RID}(?:[,;]~?{_RID}){{0,{MAX_RIDS - 1}}}"  # RFC 8853 section 5.1
_DIRECTION = "sendrecv|sendonly|recvonly|inactive"
_ORIGIN = re.compile(r"(\S+) +([0-9]{1,20}) +([0-9]{1,20})(?: .*)?")
_GROUP = re.compile(rf"({_TOKEN})((?: +{_TOKEN})*)")

_Reader = Callable[..., None]
_READERS: dict[str, tuple[re.Pattern[str], _Reader]] = {}
_FLAGS = {
    "rtcp-mux": "rtcp_mux",
    "rtcp-rsize": "rtcp_rsize",
    "bundle-only": "bundle_only",
    "end-of-candidates": "end_of_candidates",
    "extmap-allow-mixed": "extmap_allow_mixed",
}
_DIRECTIONS = {str(direction): direction for direction in Direction}


class LimitError(SdpError):
    """The description has more attributes of a kind than any client writes, and is refused."""


def read_attribute(media: Media, name: str, value: str) -> None:
    """Puts the value of an a= line into a medium. Raises SdpError where it is malformed, LimitError for too many.

    Unknown names are ignored.
    """
    if name in _READERS:
        pattern, reader = _READERS[name]
        found = pattern.fullmatch(value) if len(value) <= MAX_VALUE_CHARS else None
        if found is None:
            raise SdpError("It does not follow the grammar of this attribute.")
        reader(media, *found.groups(""))
    elif name in _DIRECTIONS:
        media.direction = _DIRECTIONS[name]
    elif name in _FLAGS:
        setattr(media, _FLAGS[name], True)


def read_value(name: str, value: str) -> tuple[str, ...]:
    """The fields of an attribute's value. Raises SdpError, which quotes the line, where it is malformed."""
    found = _READERS[name][0].fullmatch(value) if len(value) <= MAX_VALUE_CHARS else None
    if found is None:
        raise SdpError(f"The attribute is malformed: {quoted(f'a={name}:{value}')}.")
    return found.groups("")


def read_group(value: str) -> Group:
    """The value of an a=group line (RFC 5888). Raises SdpError."""
    found = _GROUP.fullmatch(value) if len(value) <= MAX_VALUE_CHARS else None
    if found is None:
        raise SdpError("A group is a name and the mids of its media.")
    return Group(found[1], tuple(found[2].split()))


def read_origin(value: str) -> Origin:
    """The value of an o= line; a default if it is malformed, because the server does not use it."""
    found = _ORIGIN.fullmatch(value) if len(value) <= MAX_VALUE_CHARS else None
    return Origin(int(found[2]), int(found[3]), found[1]) if found else Origin()


def check_room(kept: Sized, most: int, name: str, which: str = "in one place") -> None:
    """Raises LimitError if `most` attributes of this name are stored."""
    if len(kept) >= most:
        raise LimitError(f"The description has more than {most} a={name} lines {which}.")


def quoted(text: str) -> str:
    """The text in quotation marks, cut after 80 characters."""
    return repr(text if len(text) <= 80 else f"{text[:80]}…")


def _attribute(name: str, pattern: str) -> Callable[[_Reader], _Reader]:
    """Registers the reader of an attribute: it is called with the medium and the groups of the pattern."""

    def register(reader: _Reader) -> _Reader:
        _READERS[name] = re.compile(pattern), reader
        return reader

    return register


@_attribute("mid", rf"({_TOKEN})")
def _mid(media: Media, mid: str) -> None:
    media.mid = mid


# RFC 8839 section 5.4 does not allow the padding of Base64, but clients send it: any visible character is accepted.
@_attribute("ice-ufrag", r"([!-~]{4,256})")
def _ice_ufrag(media: Media, ufrag: str) -> None:
    media.ice_ufrag = ufrag


@_attribute("ice-pwd", r"([!-~]{22,256})")
def _ice_pwd(media: Media, pwd: str) -> None:
    media.ice_pwd = pwd


@_attribute("fingerprint", rf"({_TOKEN}) +((?:[0-9A-Fa-f]{{2}}:){{0,127}}[0-9A-Fa-f]{{2}})")
def _fingerprint(media: Media, hash_name: str, digest: str) -> None:
    check_room(media.fingerprints, MAX_FINGERPRINTS, "fingerprint")
    media.fingerprints.append((hash_name.lower(), digest.upper()))


@_attribute("setup", r"(active|passive|actpass|holdconn)")
def _setup(media: Media, role: str) -> None:
    media.setup = role


@_attribute("candidate", r"(.+)")
def _candidate(media: Media, text: str) -> None:
    if len(media.candidates) < MAX_CANDIDATES:
        media.candidates.append(f"candidate:{text}")


@_attribute("rtpmap", rf"([0-9]{{1,3}}) +({_TOKEN})/([0-9]{{1,9}})(?:/([0-9]{{1,3}}))?")
def _rtpmap(media: Media, pt: str, encoding: str, clock_rate: str, channels: str) -> None:
    media.rtpmaps[_payload_type(pt)] = RtpMap(encoding, int(clock_rate), int(channels or 1))


@_attribute("fmtp", rf"([0-9]{{1,3}}) +([^;]*(?:;[^;]*){{0,{MAX_FMTP_PARAMETERS - 1}}})")
def _fmtp(media: Media, pt: str, parameters: str) -> None:
    media.fmtp[_payload_type(pt)] = parameters.strip()


@_attribute("rtcp-fb", rf"([0-9]{{1,3}}|\*) +({_TOKEN}(?: .*)?)")
def _rtcp_fb(media: Media, pt: str, feedback: str) -> None:
    number = None if pt == "*" else _payload_type(pt)
    values = media.rtcp_fb.get(number, ())
    check_room(values, MAX_FEEDBACK_PER_PAYLOAD_TYPE, "rtcp-fb", "of one payload type")
    media.rtcp_fb[number] = (*values, sys.intern(feedback))


@_attribute("extmap", rf"([0-9]{{1,5}})(?:/({_DIRECTION}))? +(\S+)(?: .*)?")
def _extmap(media: Media, number: str, direction: str, uri: str) -> None:
    if int(number) in media.extmaps:
        raise SdpError(f"The header extension id {number} is there twice for one medium.")
    check_room(media.extmaps, MAX_EXTMAPS, "extmap")
    media.extmaps[int(number)] = ExtMap(uri, Direction(direction) if direction else None)


@_attribute("msid", r"(\S+(?: \S+)?)")
def _msid(media: Media, msid: str) -> None:
    check_room(media.msids, MAX_MSIDS, "msid")
    media.msids.append(msid)


@_attribute("ssrc", r"([0-9]{1,10}) +([^ :]+)(?::(.*))?")
def _ssrc(media: Media, ssrc: str, attribute: str, text: str) -> None:
    number = _number(ssrc, 0xFFFF_FFFF, "SSRC")
    if number not in media.ssrcs:
        check_room(media.ssrcs, MAX_SSRCS, "ssrc", "with different SSRCs")
    attributes = media.ssrcs.setdefault(number, {})
    if len(attributes) < MAX_ATTRIBUTES_PER_SSRC:
        attributes[attribute] = text


@_attribute("ssrc-group", rf"(\S+)((?: +[0-9]{{1,10}}){{0,{MAX_SSRCS}}})")
def _ssrc_group(media: Media, semantics: str, ssrcs: str) -> None:
    check_room(media.ssrc_groups, MAX_SSRC_GROUPS, "ssrc-group")
    numbers = tuple(_number(ssrc, 0xFFFF_FFFF, "SSRC") for ssrc in ssrcs.split())
    media.ssrc_groups.append(SsrcGroup(semantics, numbers))


@_attribute("rid", rf"({_RID}) +(send|recv)(?: +(.*))?")
def _rid(media: Media, rid: str, direction: str, text: str) -> None:
    if any(known.id == rid for known in media.rids):
        raise SdpError(f"The rid {quoted(rid)} is there twice: each must be another.")
    check_room(media.rids, MAX_RIDS, "rid")
    restrictions = [part.strip() for part in text.split(";", MAX_FMTP_PARAMETERS)]
    formats = [part.removeprefix("pt=") for part in restrictions if part.startswith("pt=")]
    payload_types = tuple(_payload_type(pt) for part in formats for pt in part.split(",", 128))
    others = tuple(part for part in restrictions if part and not part.startswith("pt="))
    media.rids.append(Rid(rid, direction, payload_types, others))


@_attribute("simulcast", rf"(send|recv) +({_STREAMS})(?: +(send|recv) +({_STREAMS}))?")
def _simulcast(media: Media, first: str, streams: str, second: str, others: str) -> None:
    if media.simulcast is not None:
        raise LimitError("A medium has more than one a=simulcast line.")
    directions = {first: streams, second: others}
    media.simulcast = Simulcast(*(_simulcast_streams(directions.get(name, "")) for name in ("send", "recv")))


def _simulcast_streams(text: str) -> tuple[tuple[RidRef, ...], ...]:
    return tuple(
        tuple(RidRef(ref.removeprefix("~"), ref.startswith("~")) for ref in stream.split(","))
        for stream in text.split(";")
        if stream
    )


def _payload_type(text: str) -> int:
    return _number(text, 127, "payload type")


def _number(text: str, highest: int, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10) or int(text) > highest:
        raise SdpError(f"{quoted(text)} is no {what}: a number from 0 to {highest} is.")
    return int(text)
