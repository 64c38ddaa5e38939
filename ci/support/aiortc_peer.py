"""An aiortc client that publishes or watches through WHIP or WHEP, with the barcode and a tone of its own."""

from __future__ import annotations

import asyncio
import time
from array import array
from fractions import Fraction
from typing import Self

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame
from yarl import URL

from . import barcode
from .published import wait_until_open
from .seen import Frame, Seen
from .tone import RATE_HZ, measure, tone

_FRAME_SAMPLES = RATE_HZ // 50


class BarcodeTrack(VideoStreamTrack):
    """The wall clock, drawn 30 times a second."""

    async def recv(self) -> VideoFrame:
        """Returns the next picture when it is due."""
        pts, time_base = await self.next_timestamp()
        frame = barcode.draw()
        frame.pts, frame.time_base = pts, time_base
        return frame


class ToneTrack(AudioStreamTrack):
    """A steady tone."""

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz = hz
        self._samples = 0
        self._started = 0.0

    async def recv(self) -> AudioFrame:
        """Returns the next 20 ms of audio when they are due."""
        self._started = self._started or time.monotonic()
        await asyncio.sleep(max(0.0, self._started + self._samples / RATE_HZ - time.monotonic()))
        frame = AudioFrame("s16", "mono", _FRAME_SAMPLES)
        frame.planes[0].update(tone(self._hz, self._samples, _FRAME_SAMPLES))
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._samples, Fraction(1, RATE_HZ)
        self._samples += _FRAME_SAMPLES
        return frame


class AiortcPeer:
    """One aiortc connection; leaving it sends DELETE to the server."""

    async def __aenter__(self) -> Self:
        self.connection = RTCPeerConnection()
        self._http = aiohttp.ClientSession()
        self._resource: URL | None = None
        self._tracks: dict[str, MediaStreamTrack] = {}
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self._http:
            if self._resource is not None:
                await self._http.delete(self._resource)
            await self.connection.close()

    async def publish(self, url: str, *, codec: str, tone_hz: float) -> None:
        """Publishes to a WHIP URL; `codec` as in "VP8"."""
        self.connection.addTransceiver(ToneTrack(tone_hz), direction="sendonly")
        video = self.connection.addTransceiver(BarcodeTrack(), direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([c for c in codecs if c.mimeType in (f"video/{codec}", "video/rtx")])
        await self._join(url)
        await wait_until_open(self._http, url)

    async def watch(self, url: str) -> None:
        """Watches a WHEP URL."""
        for kind in ("audio", "video"):
            self.connection.addTransceiver(kind, direction="recvonly")
        self.connection.on("track", lambda track: self._tracks.update({track.kind: track}))
        await self._join(url)

    async def look_and_listen(self, seconds: float) -> Seen:
        """Receives for `seconds` and returns the media received."""
        frames: list[Frame] = []
        samples = array("h")

        async def look() -> None:
            while True:
                frame = await self._tracks["video"].recv()
                assert isinstance(frame, VideoFrame)
                frames.append(Frame(barcode.read(frame), time.time() * 1000, frame.width, frame.height))

        async def listen() -> None:
            while True:
                frame = await self._tracks["audio"].recv()
                assert isinstance(frame, AudioFrame)
                channels = len(frame.layout.channels)
                data = bytes(frame.planes[0])[: frame.samples * channels * 2]
                samples.extend(array("h", data)[::channels])

        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                group.create_task(look())
                group.create_task(listen())
        except TimeoutError:
            pass
        audible, hz = measure(samples)
        return Seen(frames, sound_s=len(samples) / RATE_HZ, audible=audible, tone_hz=hz)

    async def _join(self, url: str) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Content-Type": "application/sdp"}
        async with self._http.post(url, data=self.connection.localDescription.sdp, headers=headers) as response:
            response.raise_for_status()
            self._resource = response.url.join(URL(response.headers["Location"]))
            answer = await response.text()
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
