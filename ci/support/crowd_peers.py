"""The light publisher, and the light viewer that can check every packet."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from pylibsrtp import Session

from fanwire.control.media.keys import SrtpKeys
from fanwire.fastpath.testing import probes

from . import libsrtp
from .crowd_client import Client, Sent, Services, ignore
from .crowd_media import AUDIO_S, FRAMES_PER_S, Audio, Track, Video, serial, starts_keyframe, video_serial
from .crowd_offers import AUDIO_PT, VIDEO_PT, publish_offer, watch_offer

_REPORT_EVERY_S = 1.0
_NTP_EPOCH_S = 2208988800
_EARLY_PACKETS = 2000
_PLI, _FIR, _NACK = (206, 1), (206, 4), (205, 1)


class Publisher(Client):
    """Sends Opus and VP8 of `rate_bps` from `start` to `stop`, with sender reports.

    Keyframes answer PLI and FIR; with `gop_frames` above 0, every `gop_frames`-th frame is one.
    """

    def __init__(
        self,
        services: Services,
        address: str,
        *,
        rate_bps: int,
        gop_frames: int | None = None,
        sent: Sent = ignore,
    ) -> None:
        super().__init__(services, address, keep=True, sent=sent)
        self.video = Video(rate_bps, gop_frames)
        self.audio = Audio()
        self.feedback: Counter[tuple[int, int]] = Counter()  # RTCP packets received, by type and format
        self._transport_cc = 0
        self._sending: list[asyncio.Task[None]] = []
        self._protector: Session | None = None
        self._opener: Session | None = None

    async def publish(self, url: str) -> None:
        """Connects to a WHIP URL and starts."""
        await self.join(url, publish_offer)
        self.start()

    @property
    def packets(self) -> int:
        """RTP packets sent."""
        return self.video.packets + self.audio.packets

    @property
    def nacks(self) -> int:
        """NACKs received; 0 without loss."""
        return self.feedback[_NACK]

    @property
    def keyframe_requests(self) -> int:
        """Keyframe requests (PLI, FIR) received."""
        return self.feedback[_PLI] + self.feedback[_FIR]

    def start(self) -> None:
        """Starts sending media."""
        assert not self._sending
        self._sending = [
            asyncio.create_task(self._send_track(self.video, 1 / FRAMES_PER_S)),
            asyncio.create_task(self._send_track(self.audio, AUDIO_S)),
            asyncio.create_task(self._send_reports()),
        ]

    async def stop(self) -> None:
        """Stops sending media."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        self._sending = []

    async def leave(self) -> None:
        """Stops, and ends the session."""
        await self.stop()
        await super().leave()

    def set_keys(self, keys: SrtpKeys) -> None:
        """Called at the end of the DTLS handshake."""
        self._protector = libsrtp.session(keys.profile, keys.local, inbound=False)
        self._opener = libsrtp.session(keys.profile, keys.remote, inbound=True)

    def on_media(self, data: bytes) -> None:
        """Handles received RTCP."""
        if self._opener is None:
            return
        packets, complete = probes.rtcp_parse(self._opener.unprotect_rtcp(data))
        assert complete
        for packet in packets:
            self.feedback[packet["type"], packet["count"]] += 1
            if (packet["type"], packet["count"]) in (_PLI, _FIR):
                self.video.keyframe_due = True

    async def _send_track(self, track: Video | Audio, every_s: float) -> None:
        assert self._protector is not None
        due = time.monotonic()
        while True:
            packets = []
            for payload, marker in track.frame():
                packet = track.packet(payload, marker=marker, transport_cc=self._transport_cc)
                packets.append(self._protector.protect(packet))
                self._transport_cc += 1
            for packet in packets:  # at once, as libwebrtc's pacer does
                self.send(packet)
            due += every_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _send_reports(self) -> None:
        assert self._protector is not None
        while True:
            for track in (self.video, self.audio):
                self.send(self._protector.protect_rtcp(_sender_report(track)))
            await asyncio.sleep(_REPORT_EVERY_S)


class Viewer(Client):
    """Receives. With `checks` it decrypts every packet, and raises AssertionError for a damaged or missing one."""

    def __init__(self, services: Services, address: str, *, checks: bool = False, sent: Sent = ignore) -> None:
        super().__init__(services, address, keep=checks, sent=sent)
        self._last: dict[int, tuple[int, int]] = {}  # by payload type: sequence number, and the publisher's serial
        self._early: list[bytes] = []
        self._opener: Session | None = None

    async def watch(self, url: str) -> None:
        """Connects to a WHEP URL."""
        await self.join(url, watch_offer)

    def has_all(self, publisher: Publisher) -> bool:
        """True if the publisher's last packets have arrived; `_check` refuses gaps before them."""
        tracks = ((VIDEO_PT, publisher.video), (AUDIO_PT, publisher.audio))
        return all(self._last.get(pt, (0, -1))[1] == track.packets - 1 for pt, track in tracks)

    def set_keys(self, keys: SrtpKeys) -> None:
        """Called at the end of the DTLS handshake; the server completes it slightly earlier."""
        self._opener = libsrtp.session(keys.profile, keys.remote, inbound=True)
        for data in self._early:
            self._open(self._opener, data)
        self._early.clear()

    def on_media(self, data: bytes) -> None:
        """Handles received RTP or RTCP."""
        if self._opener is not None:
            self._open(self._opener, data)
        elif len(self._early) < _EARLY_PACKETS:
            self._early.append(data)

    def _open(self, session: Session, data: bytes) -> None:
        if probes.demux(data) == "rtcp":
            session.unprotect_rtcp(data)
        else:
            self._check(session.unprotect(data))

    def _check(self, packet: bytes) -> None:
        rtp = probes.rtp_parse(packet)
        assert rtp is not None
        payload_type, seq16 = rtp["payload_type"], rtp["seq16"]
        payload = packet[rtp["header_len"] : rtp["header_len"] + rtp["payload_len"]]
        assert payload_type in (AUDIO_PT, VIDEO_PT), f"payload type {payload_type}"
        number = video_serial(payload) if payload_type == VIDEO_PT else serial(payload)
        last = self._last.get(payload_type)
        self._last[payload_type] = seq16, number
        if last is None:
            assert payload_type == AUDIO_PT or starts_keyframe(payload), "the first video is no start of a keyframe"
        else:
            steps = (seq16 - last[0] & 0xFFFF, number - last[1])
            assert steps == (1, 1), f"payload type {payload_type}: {last} is followed by {(seq16, number)}"


def _sender_report(track: Track) -> bytes:
    writer = probes.RtcpWriter()
    writer.sr(
        {
            "ssrc": track.ssrc,
            "ntp": int((time.time() + _NTP_EPOCH_S) * (1 << 32)),
            "timestamp": track.timestamp & 0xFFFFFFFF,
            "packets": track.packets,
            "octets": track.octets & 0xFFFFFFFF,
        }
    )
    writer.sdes([track.ssrc], b"crowd")
    return bytes(writer)
