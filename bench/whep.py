"""For benchmarks of the whole server: `fanwire serve` on the first core, and a crowd of viewers on the last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path

from ci.support.crowd import Crowd, warm_up
from ci.support.crowd_media import FRAMES_PER_S, MAX_PAYLOAD_BYTES
from ci.support.crowd_peers import Publisher, Viewer
from ci.support.server import Server
from ci.support.waiting import until

from .peers import UDP_SEGMENT, is_rtp
from .percentiles import Percentiles, of_values
from .samples import RECEIVE_BUFFER_BYTES, RTP_HEADER_BYTES, Sample, lateness_ms, spread
from .usage import stay_aside

MOST_VIEWERS = 10_000
MOST_BURST = 40
CALM_S = 0.1
_SERVER_OPTIONS = (
    "--log-level=warning",
    "--joins-per-s=100000",
    "--max-unconnected-per-client=100000",
    "--packets-per-worker=4096",
)
_FIRST_MEDIA_S = 10
_SAMPLED = 10
_READ_EVERY_S = 0.02


@contextlib.asynccontextmanager
async def server_and_crowd(clients: int, *server_options: str, warm: bool) -> AsyncIterator[tuple[Server, Crowd]]:
    """A server of one worker, and room for so many clients; a warm server has used all the memory that it set aside."""
    stay_aside()
    async with Server(*_SERVER_OPTIONS, *server_options) as server, Crowd(clients + 4) as crowd:
        _keep_on_first_core(server.pid)
        if warm:
            await warm_up(server.whip("warm"), server.whep("warm"), workers=1)
        yield server, crowd


class BurstPublisher(Publisher):
    """Sends video alone, each frame in one system call, and remembers when."""

    sent_ns: list[int]  # CLOCK_REALTIME, of each packet since the last start

    def start(self) -> None:
        self.sent_ns = []
        self._sending = [asyncio.create_task(self._send_bursts()), asyncio.create_task(self._send_reports())]

    async def _send_bursts(self) -> None:
        assert self._protector is not None
        due = time.monotonic()
        while True:
            packets: list[bytes] = []
            for payload, marker in self.video.frame():
                packet = self.video.packet(payload, marker=marker, transport_cc=self._transport_cc)
                packets.append(self._protector.protect(packet))
                self._transport_cc += 1
            segment = struct.pack("=H", len(packets[0]))
            self.sent_ns += [time.time_ns()] * len(packets)
            self.sock.sendmsg([b"".join(packets)], [(socket.SOL_UDP, UDP_SEGMENT, segment)])
            due = max(due + 1 / FRAMES_PER_S, time.monotonic())  # what is late is not made up for
            await asyncio.sleep(due - time.monotonic())


async def publish(
    crowd: Crowd, url: str, burst: int, seconds: float = CALM_S, *, gop_frames: int | None = None
) -> BurstPublisher:
    """One that has shown for some time that it can, and is silent."""
    rate_bps = burst * MAX_PAYLOAD_BYTES * 8 * FRAMES_PER_S
    publisher = await crowd.publish(url, rate_bps=rate_bps, gop_frames=gop_frames, kind=BurstPublisher)
    assert isinstance(publisher, BurstPublisher)
    await asyncio.sleep(seconds)
    await publisher.stop()
    return publisher


async def first_media(publisher: BurstPublisher, viewers: Sequence[Viewer]) -> None:
    """Publishes until everybody has had some. From then on they read no more."""
    publisher.start()
    await until(lambda: _without_media(viewers), lambda without: without == 0, timeout_s=_FIRST_MEDIA_S)
    await publisher.stop()
    for viewer in viewers:
        viewer.rest()


async def latency_while(
    publisher: BurstPublisher, viewers: Sequence[Viewer], doing: Coroutine[None, None, object]
) -> Percentiles:
    """How late media is, in ms, while something is done: from the publisher's system call to a viewer's socket."""
    samples = await _samples(publisher, viewers)
    publisher.start()
    await _read_while(doing, samples)
    await publisher.stop()
    await asyncio.sleep(CALM_S)
    for sample in samples:
        sample.read()
    return of_values(lateness_ms(samples, publisher.sent_ns))


async def _samples(publisher: BurstPublisher, viewers: Sequence[Viewer]) -> list[Sample]:
    """Some of the viewers, who will know when what the publisher sends from now on arrived."""
    await asyncio.sleep(CALM_S)
    socks = [viewers[i].sock for i in spread(len(viewers), _SAMPLED)]
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        _last_seq16(sock)
    publisher.start()
    await asyncio.sleep(CALM_S)
    await publisher.stop()
    await asyncio.sleep(CALM_S)
    return [Sample(sock, _last_seq16(sock) + 1 & 0xFFFF) for sock in socks]


def _last_seq16(sock: socket.socket) -> int:
    """Reads all that waits. The sequence number of the last RTP packet, which is not encrypted; 0 without any."""
    last = 0
    while True:
        try:
            data = sock.recv(RTP_HEADER_BYTES)
        except BlockingIOError:
            return last
        if is_rtp(data):
            last = int.from_bytes(data[2:4], "big")


async def _read_while(doing: Coroutine[None, None, object], samples: Sequence[Sample]) -> None:
    """Reads the samples until it is done."""
    task = asyncio.create_task(doing)
    while not task.done():
        await asyncio.wait([task], timeout=_READ_EVERY_S)
        for sample in samples:
            sample.read()
    await task


async def _without_media(viewers: Sequence[Viewer]) -> int:
    return sum(viewer.media == 0 for viewer in viewers)


def _keep_on_first_core(pid: int) -> None:
    """The process with all its threads, those to come included."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {min(os.sched_getaffinity(pid))})
