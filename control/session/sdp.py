"""Parses session descriptions (RFC 8866 and the WebRTC attributes of RFC 9429) at a bounded cost.

A malformed attribute is recorded in its medium (`Media.malformed`), and `Media.require` refuses it, quoting the line,
if its value is needed. Unknown lines are ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..media.engine import Extension
from .description import Media, SdpError, SessionDescription
from .sdp_attributes import LimitError, check_room, quoted, read_attribute, read_group, read_origin

__all__ = ["EXTENSION_URIS", "MAX_CHARS", "MAX_LINES", "SdpError", "count_media", "parse", "read_lines"]

MAX_CHARS = 65_536  # five times the offer of a browser with every codec and many addresses
MAX_LINES = 2_048
MAX_GROUPS = 16
MAX_FORMATS = 128  # as many as there are payload types

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
_MEDIA = re.compile(rf"({_TOKEN}) +([0-9]{{1,5}})(?:/[0-9]+)? +({_TOKEN}(?:/{_TOKEN})*)((?: +{_TOKEN})+)")
_PAYLOAD_TYPES = {str(number): str(number) for number in range(128)}  # shared by all descriptions
_UNWRITABLE = re.compile(r"[\r\0]")


def parse(text: str) -> SessionDescription:
    """Reads an offer or an answer of at most MAX_CHARS characters and MAX_LINES lines, which end in CRLF or LF.

    Raises SdpError for other text, for a malformed m= line, for a repeated mid, and for more attributes of a kind than
    any client writes (`sdp_attributes`).
    """
    lines = read_lines(text)
    if next(lines, ("", "")) != ("v", "0"):
        raise SdpError("A session description starts with the line v=0.")
    description = SessionDescription()
    session = Media("session")  # the defaults of all media
    section = session
    for kind, value in lines:
        if kind == "m":
            section = _read_media(value, session)
            description.medias.append(section)
        elif kind == "o":
            description.origin = read_origin(value)
        elif kind == "a":
            name, _, rest = value.partition(":")
            rest = rest.lstrip()  # some clients write a space there
            try:
                if section is session and name in _OF_SESSION:
                    _OF_SESSION[name](description, rest)
                else:
                    read_attribute(section, name, rest)
            except LimitError:
                raise
            except SdpError as error:
                section.malformed[name] = f"This line is malformed: {quoted(f'a={value}')}. {error}"
            else:
                if name in section.malformed and section.malformed[name] is session.malformed.get(name):
                    del section.malformed[name]  # the medium overrides the session
    _inherit(description, session)
    return description


def read_lines(text: str) -> Iterator[tuple[str, str]]:
    """The type and the value of each line, without white space at its end.

    Skips text that is not a line, and lines with CR or NUL. Raises SdpError for too much text.
    """
    if len(text) > MAX_CHARS:
        raise SdpError(f"The description is longer than {MAX_CHARS} characters.")
    if text.count("\n") > MAX_LINES:
        raise SdpError(f"The description has more than {MAX_LINES} lines.")
    for line in text.split("\n"):
        if line[1:2] == "=" and not _UNWRITABLE.search(line := line.rstrip()):
            yield line[0], line[2:]


def count_media(text: str) -> int:
    """The number of m= lines, without parsing."""
    return text.count("\nm=")


def _read_media(value: str, session: Media) -> Media:
    found = _MEDIA.fullmatch(value)
    if not found or int(found[2]) > 65_535:
        raise SdpError(f"The media line is malformed: {quoted(f'm={value}')}.")
    kind, port, protocol, formats = found.groups()
    media = Media(
        kind,
        int(port),
        protocol,
        list(dict.fromkeys(formats.split())),
        direction=session.direction,
        ice_ufrag=session.ice_ufrag,
        ice_pwd=session.ice_pwd,
        setup=session.setup,
        extmap_allow_mixed=session.extmap_allow_mixed,
        malformed=dict(session.malformed),
    )
    if len(media.formats) > MAX_FORMATS:
        raise SdpError(f"A medium has {len(media.formats)} formats, more than {MAX_FORMATS}: {quoted(f'm={value}')}.")
    if "RTP/" not in protocol:
        return media
    try:
        media.formats = [_PAYLOAD_TYPES[name] for name in media.formats]
    except KeyError:
        raise SdpError(f"A payload type is no number from 0 to 127: {quoted(f'm={value}')}.") from None
    return media


def _add_group(description: SessionDescription, value: str) -> None:
    check_room(description.groups, MAX_GROUPS, "group")
    description.groups.append(read_group(value))


def _set_ice_lite(description: SessionDescription, _: str) -> None:
    description.ice_lite = True


_OF_SESSION = {"group": _add_group, "ice-lite": _set_ice_lite}


def _inherit(description: SessionDescription, session: Media) -> None:
    """Applies session-level fingerprints and extensions to the media. Raises SdpError for a repeated mid."""
    for media in description.medias:
        media.fingerprints = media.fingerprints or session.fingerprints
        media.extmaps = {**session.extmaps, **media.extmaps} if media.extmaps else session.extmaps
    mids = Counter(media.mid for media in description.medias if media.mid)
    for mid, count in mids.most_common(1):
        if count > 1:
            raise SdpError(f"The mid {quoted(mid)} occurs {count} times: each medium needs its own.")
