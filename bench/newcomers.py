"""Viewers that join a stream while it flows: how far behind the live edge they are, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ci.support.crowd import Crowd
from ci.support.crowd_client import Sent, Services, ignore
from ci.support.crowd_media import video_serial
from ci.support.crowd_offers import VIDEO_PT
from ci.support.crowd_peers import Viewer
from fanwire.control.media.keys import SrtpKeys
from fanwire.fastpath.testing import probes

from .peers import is_rtp
from .percentiles import Percentiles, of_values
from .samples import RECEIVE_BUFFER_BYTES, SO_TIMESTAMPNS
from .whep import BurstPublisher

LIVE_MS = 100
AFTERWARDS_S = 3.5  # time for the last of them to become live
SAMPLED = 40
READ_EVERY_S = 0.02

_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; needs CAP_NET_ADMIN
_TIMESPEC = struct.Struct("=qq")
_CONTROL_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_DATAGRAM_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Of those sampled. A packet's lag is the time from the publisher's system call until it is in their socket."""

    first_lag_ms: Percentiles  # of the first packet
    live_s: Percentiles  # from the keys until the lag stays below LIVE_MS
    most_growth_ms: float  # the largest lag of a viewer over that of its first packet
    lost: int  # packets between a viewer's first and last that it did not get


class Resting(Viewer):
    """Connects, and reads no more: the kernel throws away what comes."""

    def set_keys(self, keys: SrtpKeys) -> None:
        """The handshake is over."""
        super().set_keys(keys)
        self.rest()


class Timed(Viewer):
    """Keeps each packet with the time at which the kernel had it."""

    def __init__(self, services: Services, address: str, *, checks: bool = False, sent: Sent = ignore) -> None:
        super().__init__(services, address, checks=checks, sent=sent)
        self.packets: list[tuple[int, bytes]] = []  # CLOCK_REALTIME in ns
        self.keyed_ns = 0
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def set_keys(self, keys: SrtpKeys) -> None:
        """The handshake is over: from now on `read` reads."""
        super().set_keys(keys)
        self.keyed_ns = time.time_ns()
        self._services.counter.rest(self.index)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        with contextlib.suppress(PermissionError):
            self.sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)

    def rest(self) -> None:
        """Reads no more."""
        self.keyed_ns = 0
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def on_media(self, data: bytes) -> None:
        """RTP or RTCP has come before the keys."""
        self.packets.append((time.time_ns(), data))

    def read(self) -> None:
        """Takes what waits."""
        while self.keyed_ns:
            try:
                data, control, _, _ = self.sock.recvmsg(_DATAGRAM_BYTES, _CONTROL_BYTES)
            except BlockingIOError:
                return
            seconds, ns = _TIMESPEC.unpack(control[0][2])
            self.packets.append((seconds * 1_000_000_000 + ns, data))

    def lags_ms(self, sent_ns: Sequence[int], first_serial: int) -> dict[int, tuple[int, float]]:
        """By serial number: when a packet arrived, and its lag. `sent_ns` begins with packet `first_serial`."""
        assert self._opener is not None
        lags: dict[int, tuple[int, float]] = {}
        for at_ns, data in self.packets:
            if not is_rtp(data):
                continue
            packet = self._opener.unprotect(data)
            rtp = probes.rtp_parse(packet)
            assert rtp is not None
            if rtp["payload_type"] != VIDEO_PT:
                continue
            serial = video_serial(packet[rtp["header_len"] : rtp["header_len"] + rtp["payload_len"]])
            if serial >= first_serial:
                lags.setdefault(serial, (at_ns, (at_ns - sent_ns[serial - first_serial]) / 1e6))
        return lags


async def join_flowing(crowd: Crowd, url: str, count: int, over_s: float) -> None:
    """So many viewers join over a time, some of them sampled, and have a while to become live."""
    sampled = min(SAMPLED, count)
    task = asyncio.create_task(_join(crowd, url, count, sampled, over_s))
    until = float("inf")
    while time.monotonic() < until:
        await asyncio.sleep(READ_EVERY_S)
        for viewer in timed(crowd):
            viewer.read()
        if task.done() and until == float("inf"):
            until = time.monotonic() + AFTERWARDS_S
    await task


async def _join(crowd: Crowd, url: str, count: int, sampled: int, over_s: float) -> None:
    await asyncio.gather(
        crowd.watch(url, sampled, checking=sampled, over_s=over_s, kind=Timed),
        crowd.watch(url, count - sampled, over_s=over_s, kind=Resting),
    )


def timed(crowd: Crowd) -> list[Timed]:
    """Those that are sampled."""
    return [client for client in crowd.clients if isinstance(client, Timed)]


def newcomers(publisher: BurstPublisher, viewers: Sequence[Timed]) -> Newcomers:
    """The media that sampled viewers have received since the last start of a publisher that has stopped."""
    sent_ns = publisher.sent_ns
    first_serial = publisher.video.packets - len(sent_ns)
    first_ms: list[float] = []
    live_s: list[float] = []
    growth_ms: list[float] = []
    lost = 0
    for viewer in viewers:
        viewer.read()
        lags = viewer.lags_ms(sent_ns, first_serial)
        in_order = [lags[serial] for serial in sorted(lags)]
        first_ms.append(in_order[0][1])
        growth_ms.append(max(lag for _, lag in in_order) - in_order[0][1])
        late_ns = [at for at, lag in in_order if lag > LIVE_MS]
        live_s.append((max(late_ns, default=viewer.keyed_ns) - viewer.keyed_ns) / 1e9)
        lost += max(lags) - min(lags) + 1 - len(lags)
        viewer.rest()
    return Newcomers(of_values(first_ms), of_values(live_s), max(growth_ms), lost)
