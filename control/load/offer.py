"""Makes the SDP offers of clients: a viewer's, as Chromium makes it, and a publisher's of VP8 and Opus."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from ..media.engine import Extension
from ..session.bundle import LocalTransport
from ..session.description import (
    Direction,
    ExtMap,
    Group,
    Media,
    Origin,
    RtpMap,
    SessionDescription,
    SsrcGroup,
)
from ..session.sdp import EXTENSION_URIS

AUDIO_MID, VIDEO_MID = "0", "1"

_OPUS = {111: (RtpMap("opus", 48_000, 2), "minptime=10;useinbandfec=1")}
_VP8 = {96: (RtpMap("VP8", 90_000), "")}
_VIDEO = {
    **_VP8,
    98: (RtpMap("VP9", 90_000), "profile-id=0"),
    102: (RtpMap("H264", 90_000), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    104: (RtpMap("H264", 90_000), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"),
    106: (RtpMap("H264", 90_000), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"),
    45: (RtpMap("AV1", 90_000), "level-idx=5;profile=0;tier=0"),
}
_AUDIO_FEEDBACK = ("transport-cc",)
_VIDEO_FEEDBACK = ("transport-cc", "ccm fir", "nack", "nack pli")
_EXTENSIONS = {
    2: Extension.ABS_SEND_TIME,
    3: Extension.TRANSPORT_CC,
    4: Extension.MID,
    5: Extension.ABS_CAPTURE_TIME,
}
_URIS = {extension: uri for uri, extension in EXTENSION_URIS.items()}


@dataclass(frozen=True, slots=True)
class Sources:
    """The SSRCs and the CNAME of a publisher."""

    audio: int
    video: int
    video_rtx: int
    cname: str

    @classmethod
    def make(cls) -> Sources:
        """Random SSRCs and a random CNAME."""
        audio, video, rtx = (secrets.randbelow(0xFFFF_FFFE) + 1 for _ in range(3))
        return cls(audio, video, rtx, secrets.token_urlsafe(9))


def offer_to_watch(local: LocalTransport) -> str:
    """The offer of a viewer that accepts every codec of the server."""
    audio = _media("audio", AUDIO_MID, Direction.RECVONLY, _OPUS, _AUDIO_FEEDBACK)
    video = _media("video", VIDEO_MID, Direction.RECVONLY, _VIDEO, _VIDEO_FEEDBACK)
    return _render(local, audio, video)


def offer_to_publish(local: LocalTransport, sources: Sources) -> str:
    """The offer of a publisher."""
    audio = _media("audio", AUDIO_MID, Direction.SENDONLY, _OPUS, _AUDIO_FEEDBACK)
    video = _media("video", VIDEO_MID, Direction.SENDONLY, _VP8, _VIDEO_FEEDBACK)
    for media, ssrcs in ((audio, (sources.audio,)), (video, (sources.video, sources.video_rtx))):
        msid = f"{sources.cname} {media.kind}"
        media.msids = [msid]
        media.ssrcs = {ssrc: {"cname": sources.cname, "msid": msid} for ssrc in ssrcs}
    video.ssrc_groups = [SsrcGroup("FID", (sources.video, sources.video_rtx))]
    return _render(local, audio, video)


def _media(
    kind: str, mid: str, direction: Direction, codecs: Mapping[int, tuple[RtpMap, str]], feedback: tuple[str, ...]
) -> Media:
    media = Media(kind, mid=mid, direction=direction, rtcp_mux=True, rtcp_rsize=True, extmap_allow_mixed=True)
    for pt, (rtpmap, parameters) in codecs.items():
        media.rtpmaps[pt] = rtpmap
        if parameters:
            media.fmtp[pt] = parameters
        media.rtcp_fb[pt] = feedback
        if kind == "video":
            media.rtpmaps[pt + 1] = RtpMap("rtx", 90_000)
            media.fmtp[pt + 1] = f"apt={pt}"
    media.formats = [str(pt) for pt in media.rtpmaps]
    media.extmaps = {number: ExtMap(_URIS[extension]) for number, extension in _EXTENSIONS.items()}
    return media


def _render(local: LocalTransport, *medias: Media) -> str:
    hash_name, digest = local.fingerprint.split(" ", 1)
    for media in medias:
        media.ice_ufrag, media.ice_pwd = local.ice_ufrag, local.ice_pwd
        media.fingerprints = [(hash_name, digest)]
        media.setup = "actpass"
        media.candidates = list(local.candidates)
        media.end_of_candidates = True
    group = Group("BUNDLE", tuple(media.mid for media in medias))
    return SessionDescription(Origin(secrets.randbits(62)), [group], medias=list(medias)).render()
