"""SDP offers of the light test clients, and the fields that they read from the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

AUDIO_PT, VIDEO_PT, RTX_PT = 111, 96, 97
AUDIO_MID, VIDEO_MID = "0", "1"
MID_ID, TRANSPORT_CC_ID, ABS_SEND_TIME_ID = 1, 2, 3

_SESSION = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=fingerprint:{fingerprint}
a=setup:active
"""
_MEDIA = """\
m={kind} 9 UDP/TLS/RTP/SAVPF {formats}
c=IN IP4 0.0.0.0
a=mid:{mid}
a={direction}
a=rtcp-mux
a=rtcp-rsize
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
{extension}
"""
_TRANSPORT_CC = "a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
_ABS_SEND_TIME = "a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_AUDIO = """\
a=rtpmap:111 opus/48000/2
"""
_VIDEO = """\
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's side of the transport."""

    ufrag: str
    pwd: str
    fingerprint: tuple[str, str]
    address: tuple[str, int]

    @classmethod
    def parse(cls, sdp: str) -> Answer:
        """Reads an SDP answer; uses its first IPv4 UDP candidate."""

        def find(pattern: str) -> re.Match[str]:
            found = re.search(pattern, sdp, re.MULTILINE | re.IGNORECASE)
            assert found, f"no {pattern} in {sdp}"
            return found

        fingerprint = find(r"^a=fingerprint:(\S+) (\S+)")
        candidate = find(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host")
        return cls(
            ufrag=find(r"^a=ice-ufrag:(\S+)")[1],
            pwd=find(r"^a=ice-pwd:(\S+)")[1],
            fingerprint=(fingerprint[1], fingerprint[2]),
            address=(candidate[1], int(candidate[2])),
        )


def publish_offer(ufrag: str, pwd: str, fingerprint: str) -> str:
    """Offers Opus and VP8 to the server, with transport-cc feedback."""
    audio = _media("audio", "111", "sendonly", _TRANSPORT_CC, _AUDIO)
    video = _media("video", "96 97", "sendonly", _TRANSPORT_CC, _VIDEO + "a=rtcp-fb:96 transport-cc\n")
    return _text(_SESSION.format(ufrag=ufrag, pwd=pwd, fingerprint=fingerprint) + audio + video)


def watch_offer(ufrag: str, pwd: str, fingerprint: str) -> str:
    """Offers to receive Opus and VP8."""
    audio = _media("audio", "111", "recvonly", _ABS_SEND_TIME, _AUDIO)
    video = _media("video", "96 97", "recvonly", _ABS_SEND_TIME, _VIDEO)
    return _text(_SESSION.format(ufrag=ufrag, pwd=pwd, fingerprint=fingerprint) + audio + video)


def _media(kind: str, formats: str, direction: str, extension: str, codecs: str) -> str:
    mid = AUDIO_MID if kind == "audio" else VIDEO_MID
    return _MEDIA.format(kind=kind, formats=formats, mid=mid, direction=direction, extension=extension) + codecs


def _text(lines: str) -> str:
    return lines.replace("\n", "\r\n")
