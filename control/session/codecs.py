"""Selects the offered payload types that the server can forward, and matches those of publisher and viewer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..media.engine import Codec, ConsumerSpec, Extension, PayloadType, ProducerSpec
from .description import Direction, Media, RtpMap
from .sdp import EXTENSION_URIS

SUPPORTED = {
    "audio": "Opus (and RED over it)",
    "video": "VP8, VP9, H264, H265 and AV1 (H264 of 8 bits: baseline, main, high, in packetization modes 0 and 1)",
}

_CODECS: dict[tuple[str, str, int, int], Codec] = {
    ("audio", "opus", 48_000, 2): Codec.OPUS,
    ("audio", "red", 48_000, 2): Codec.RED,
    ("video", "vp8", 90_000, 1): Codec.VP8,
    ("video", "vp9", 90_000, 1): Codec.VP9,
    ("video", "h264", 90_000, 1): Codec.H264,
    ("video", "h265", 90_000, 1): Codec.H265,
    ("video", "av1", 90_000, 1): Codec.AV1,
}
# Profiles of H264 by profile_idc, the bits of profile-iop that matter, and their values (RFC 6184 section 8.1,
# table 5). Baseline and constrained baseline count as one: no encoder uses their difference (FMO, ASO).
_H264_PROFILES = (
    (0x42, 0x0F, 0x00, "baseline"),
    (0x4D, 0x8F, 0x80, "baseline"),
    (0x58, 0x8F, 0x80, "baseline"),
    (0x58, 0xCF, 0x00, "extended"),
    (0x4D, 0x8F, 0x00, "main"),
    (0x64, 0xFF, 0x00, "high"),
    (0x64, 0xFF, 0x0C, "constrained-high"),
    (0xF4, 0xFF, 0x00, "high-444"),
)

# The parameters that an answer repeats. Levels of H264, H265 and AV1 are included, although they may differ by
# direction: the server forwards any level, and the publisher's level is the best guess for the viewers'. Limits of the
# offerer's decoder (max-fs, max-fr, max-mbps...) are not: they would limit the publisher to formats that it can receive
# itself. Properties of its own stream (sprop-) are not either.
_AGREED: dict[str, tuple[str, ...]] = {
    "vp9": ("profile-id",),
    "h264": ("profile-level-id", "packetization-mode", "level-asymmetry-allowed"),
    "h265": ("profile-space", "profile-id", "tier-flag", "level-id", "interop-constraints", "tx-mode"),
    "av1": ("profile", "level-idx", "tier"),
    "rtx": ("apt",),
}


def supported_payload_types(media: Media) -> tuple[PayloadType, ...]:
    """The payload types of an offered medium that the server forwards, in the order of the offer."""
    offered = {pt: rtpmap for pt in media.payload_types if (rtpmap := media.rtpmaps.get(pt))}
    codecs = {pt: codec for pt, rtpmap in offered.items() if (codec := _codec(media.kind, rtpmap)) is not None}
    opus = {pt for pt, codec in codecs.items() if codec is Codec.OPUS}
    rtx = _retransmissions(media, offered)
    numbered = any(EXTENSION_URIS.get(e.uri) is Extension.TRANSPORT_CC for e in media.extmaps.values())
    types = []
    for pt, codec in codecs.items():
        fmtp = media.fmtp.get(pt, "")
        form = _format(codec, fmtp)
        if form is None or (codec is Codec.RED and not opus.issuperset(_red_blocks(fmtp))):
            continue
        feedback = media.feedback(pt)
        transport_cc = numbered and "transport-cc" in feedback
        types.append(
            PayloadType(
                pt,
                codec,
                offered[pt].clock_rate_hz,
                form,
                rtx_pt=rtx.get((pt, offered[pt].clock_rate_hz)),
                nack="nack" in feedback,
                pli="nack pli" in feedback,
                fir="ccm fir" in feedback,
                transport_cc=transport_cc,
                remb="goog-remb" in feedback and not transport_cc,
            )
        )
    return tuple(types)


def write_payload_types(answer: Media, offer: Media, payload_types: tuple[PayloadType, ...]) -> None:
    """Puts accepted payload types and their RTX into an answer, with the offer's numbers.

    Repeats only the parameters that identify the format of a codec, on which both sides must agree. The others declare
    properties of their sender; the server has its own for Opus, and none for other codecs.
    """
    for accepted in payload_types:
        for pt in (accepted.pt, accepted.rtx_pt):
            if pt is None or pt in answer.rtpmaps:
                continue
            answer.formats.append(str(pt))
            answer.rtpmaps[pt] = offer.rtpmaps[pt]
            if parameters := _agreed_parameters(offer.rtpmaps[pt].encoding, offer.fmtp.get(pt, ""), answer.direction):
                answer.fmtp[pt] = parameters
        if feedback := _feedback(accepted):
            answer.rtcp_fb[accepted.pt] = feedback


def match_payload_types(producer: ProducerSpec, consumer: ConsumerSpec) -> tuple[tuple[int, int], ...]:
    """For each of the producer's payload types that the consumer can receive, the consumer's number for it.

    A consumer without RED gets the newest Opus block of each RED packet.
    """
    numbers: dict[tuple[Codec, str], int] = {}
    for theirs in consumer.payload_types:
        numbers.setdefault((theirs.codec, theirs.format), theirs.pt)
    if (Codec.OPUS, "") in numbers:
        numbers.setdefault((Codec.RED, ""), numbers[Codec.OPUS, ""])
    return tuple(
        (ours.pt, numbers[ours.codec, ours.format])
        for ours in producer.payload_types
        if (ours.codec, ours.format) in numbers
    )


def describe(payload_type: PayloadType) -> str:
    """The name of a payload type for messages, such as `H264 baseline/1` or `VP8`."""
    shown = payload_type.format if payload_type.codec is Codec.H264 else ""
    return f"{payload_type.codec.name} {shown}".rstrip()


def describe_offered(media: Media) -> str:
    """The formats of an offered medium for messages, with the parameters that decide whether they are supported."""
    names: dict[str, None] = {}
    for pt in media.payload_types:
        if pt not in media.rtpmaps:
            continue
        encoding = media.rtpmaps[pt].encoding[:32]
        known = _codec(media.kind, media.rtpmaps[pt]) is not None
        shown = _agreed_parameters(encoding, media.fmtp.get(pt, ""), media.direction)[:80] if known else ""
        names[f"{encoding} ({shown})" if shown else encoding] = None
    return ", ".join(list(names)[:20]) or "without a known codec"


def _codec(kind: str, rtpmap: RtpMap) -> Codec | None:
    return _CODECS.get((kind, rtpmap.encoding.lower(), rtpmap.clock_rate_hz, rtpmap.channels))


def _retransmissions(media: Media, offered: dict[int, RtpMap]) -> dict[tuple[int, int], int]:
    """The RTX payload type for each (payload type, clock rate) that has one (RFC 4588 section 8.1)."""
    found: dict[tuple[int, int], int] = {}
    for rtx, rtpmap in offered.items():
        if rtpmap.encoding.lower() != "rtx":
            continue
        apt = _parameters(media.fmtp.get(rtx, "")).get("apt", "")
        if re.fullmatch("[0-9]{1,3}", apt):
            found.setdefault((int(apt), rtpmap.clock_rate_hz), rtx)
    return found


def _feedback(accepted: PayloadType) -> tuple[str, ...]:
    wanted = {
        "goog-remb": accepted.remb,
        "transport-cc": accepted.transport_cc,
        "ccm fir": accepted.fir,
        "nack": accepted.nack,
        "nack pli": accepted.pli,
    }
    return tuple(value for value, agreed in wanted.items() if agreed)


def _parameters(fmtp: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in fmtp.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _agreed_parameters(encoding: str, offered: str, direction: Direction) -> str:
    """The parameters of a format in an answer; `direction` is the server's."""
    match encoding.lower():
        case "opus":
            return _opus_parameters(_parameters(offered), direction)
        case "red":
            return offered
        case name:
            agreed = _AGREED.get(name, ())
            parts = (part.strip() for part in offered.split(";"))
            return ";".join(part for part in parts if part.partition("=")[0].strip().lower() in agreed)


def _opus_parameters(offered: Mapping[str, str], direction: Direction) -> str:
    """The server's parameters of Opus. All are declarative (RFC 7587 section 7), none is negotiated.

    The server asks publishers for stereo and in-band FEC. A publisher that declares mono gets no `stereo=1`, because
    libwebrtc would encode one channel twice. Viewers get the publisher's stream unchanged.
    """
    own = ["minptime=10", "useinbandfec=1"]
    if direction.receives and offered.get("sprop-stereo") != "0":
        own.append("stereo=1")
    if direction.sends:
        own.append("sprop-stereo=1")
    return ";".join(own)


def _format(codec: Codec, fmtp: str) -> str | None:
    """The identity of a format within its codec, "" if the codec has one format, None if it is not supported."""
    parameters = _parameters(fmtp)
    match codec:
        case Codec.VP9:
            return parameters.get("profile-id", "0")
        case Codec.AV1:
            return parameters.get("profile", "0")
        case Codec.H265:
            return parameters.get("profile-id", "1")
        case Codec.H264:
            profile = _h264_profile(parameters.get("profile-level-id", "42001f"))
            mode = parameters.get("packetization-mode", "0")
            return f"{profile}/{mode}" if profile and mode in ("0", "1") else None
        case _:
            return ""


def _red_blocks(fmtp: str) -> set[int]:
    """The payload types of RED's blocks. The fast path maps them to the viewer's numbers."""
    return {int(pt) if re.fullmatch("[0-9]{1,3}", pt) else -1 for pt in fmtp.split("/")}


def _h264_profile(profile_level_id: str) -> str | None:
    if not re.fullmatch("[0-9A-Fa-f]{6}", profile_level_id):
        return None
    idc, iop, _level = bytes.fromhex(profile_level_id)
    return next((name for i, mask, bits, name in _H264_PROFILES if i == idc and iop & mask == bits), None)
