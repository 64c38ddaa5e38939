"""A bad network: a UDP relay between one client and the server that drops, delays, reorders and duplicates packets."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self

from playwright.async_api import Page, Route

Direction = Literal["up", "down"]  # from the client to the server, and back
Kind = Literal["stun", "dtls", "rtcp", "audio", "video", "rtx", "other"]
Address = tuple[str, int]

AUDIO: frozenset[Kind] = frozenset({"audio"})
MEDIA: frozenset[Kind] = frozenset({"audio", "video", "rtx", "rtcp"})
REORDER_MS = 20
_BUFFER_BYTES = 1 << 20
_CANDIDATE = re.compile(r"^a=candidate:(\S+ \d+ (?:udp|tcp) \d+) (\S+) (\d+) typ host.*\r?\n", re.M | re.I)


@dataclass(frozen=True, slots=True)
class Impairment:
    """Impairments of the packets of one direction, of the `kinds` given or of all.

    `loss`, `reorder` and `duplicate` are shares of the packets; a reordered one arrives REORDER_MS after its turn, and
    so does the copy of a duplicated one. Up to `jitter_ms` is added to `delay_ms`, and does not change the order.
    """

    direction: Direction
    kinds: frozenset[Kind] | None = None
    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    duplicate: float = 0.0

    def applies(self, direction: Direction, kind: Kind) -> bool:
        """True if these impairments apply to the packet."""
        return direction == self.direction and (self.kinds is None or kind in self.kinds)


class Relay:
    """The relay of one client, which replaces the server's candidate. `seed` sets the random decisions.

    `least_kbps` is Chromium's minimum video bit rate on any network, so that it drops no layers.

    `impairments` may change while packets flow. `passed`, `lost`, `reordered` and `doubled` count packets by direction
    and kind.
    """

    def __init__(self, *impairments: Impairment, seed: int = 1, least_kbps: int = 0) -> None:
        self.impairments = impairments
        self._least_kbps = least_kbps
        self.passed: Counter[tuple[Direction, Kind]] = Counter()
        self.lost: Counter[tuple[Direction, Kind]] = Counter()
        self.reordered: Counter[tuple[Direction, Kind]] = Counter()
        self.doubled: Counter[tuple[Direction, Kind]] = Counter()
        self._random = random.Random(seed)
        self._server: Address | None = None
        self._kinds: dict[int, Kind] = {}
        self._upstream: dict[Address, socket.socket] = {}
        self._latest: dict[tuple[Direction, Kind], float] = {}

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._front = _udp_socket()
        self._front.bind(("127.0.0.1", 0))
        self._loop.add_reader(self._front, self._read_front)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop.remove_reader(self._front)
        self._front.close()
        self.rebind()

    async def attach(self, page: Page) -> None:
        """Replaces the candidates of all later WHIP and WHEP answers to `page` by this relay."""

        async def rewrite(route: Route) -> None:
            if route.request.method != "POST":
                await route.continue_()
                return
            response = await route.fetch()
            await route.fulfill(response=response, body=self.rewrite(await response.text()))

        await page.route(re.compile("/whip/|/whep/"), rewrite)

    def rewrite(self, answer: str) -> str:
        """Returns `answer` with this relay as the only candidate, in place of the first, a UDP one."""
        candidates = list(_CANDIDATE.finditer(answer))
        if not candidates:
            return answer  # an error response
        self._server = (candidates[0][2], int(candidates[0][3]))
        for kind, formats in re.findall(r"^m=(audio|video) \d+ \S+ ([\d ]+)", answer, re.M):
            self._kinds |= dict.fromkeys(map(int, formats.split()), kind)
        self._kinds |= dict.fromkeys(map(int, re.findall(r"^a=rtpmap:(\d+) rtx/", answer, re.M)), "rtx")
        host, port = self._front.getsockname()
        ours = f"a=candidate:{candidates[0][1]} {host} {port} typ host\r\n"
        answer = _CANDIDATE.sub(lambda found: ours if found[0] == candidates[0][0] else "", answer)
        return self._with_least_rate(answer) if self._least_kbps else answer

    def _with_least_rate(self, answer: str) -> str:
        for pt, kind in self._kinds.items():
            if kind == "video":
                fmtp = f"a=fmtp:{pt} x-google-min-bitrate={self._least_kbps}"
                answer = re.sub(rf"^a=fmtp:{pt} ", f"{fmtp};", answer, flags=re.M)
                if fmtp not in answer:
                    answer = re.sub(rf"^(a=rtpmap:{pt} .*\r\n)", rf"\g<1>{fmtp}\r\n", answer, flags=re.M)
        return answer

    def rebind(self) -> None:
        """Uses new source addresses towards the server from now on, as after a lost NAT binding."""
        for upstream in self._upstream.values():
            self._loop.remove_reader(upstream)
            upstream.close()
        self._upstream.clear()

    def _read_front(self) -> None:
        while (received := _receive(self._front)) is not None:
            datagram, client = received
            if client not in self._upstream:
                assert self._server is not None, "a client sends before the relay has seen its answer"
                self._upstream[client] = upstream = _udp_socket()
                upstream.connect(self._server)
                self._loop.add_reader(upstream, self._read_upstream, upstream, client)
            self._forward("up", datagram, client)

    def _read_upstream(self, upstream: socket.socket, client: Address) -> None:
        while (received := _receive(upstream)) is not None:
            self._forward("down", received[0], client)

    def _forward(self, direction: Direction, datagram: bytes, client: Address) -> None:
        kind = self._kind(datagram)
        delay_ms = 0.0
        held = doubled = False
        for impairment in self.impairments:
            if not impairment.applies(direction, kind):
                continue
            if self._random.random() < impairment.loss:
                self.lost[direction, kind] += 1
                return
            delay_ms += impairment.delay_ms + self._random.uniform(0, impairment.jitter_ms)
            held |= self._random.random() < impairment.reorder
            doubled |= self._random.random() < impairment.duplicate
        self.passed[direction, kind] += 1
        self.reordered[direction, kind] += held
        self.doubled[direction, kind] += doubled
        due = max(self._loop.time() + delay_ms / 1000, self._latest.get((direction, kind), 0))
        if not held:
            self._latest[direction, kind] = due
            self._loop.call_at(due, self._send, direction, datagram, client)
        if held or doubled:
            self._loop.call_at(due + REORDER_MS / 1000, self._send, direction, datagram, client)

    def _send(self, direction: Direction, datagram: bytes, client: Address) -> None:
        try:
            if direction == "down":
                self._front.sendto(datagram, client)
            elif client in self._upstream:
                self._upstream[client].send(datagram)
        except OSError:
            self.lost[direction, self._kind(datagram)] += 1  # the receiver is closed

    def _kind(self, datagram: bytes) -> Kind:
        """By the first bytes (RFC 7983, RFC 5761 section 4)."""
        first, second = datagram[0], datagram[1]
        if first < 4:
            return "stun"
        if 20 <= first < 64:
            return "dtls"
        if 128 <= first < 192:
            return "rtcp" if 192 <= second < 224 else self._kinds.get(second & 0x7F, "other")
        return "other"


def _udp_socket() -> socket.socket:
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.setblocking(False)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return endpoint


def _receive(endpoint: socket.socket) -> tuple[bytes, Address] | None:
    try:
        return endpoint.recvfrom(65536)
    except (BlockingIOError, ConnectionRefusedError):
        return None
