"""Runs each stack of docs/interop.md in a long call: `python -m bench.interop [STACK ...] [--seconds 70]`.

A stack passes if its two sessions are open at the end and its viewer (for FFmpeg: aiortc) received media. The command
fails if one does not pass. It needs what `ci/setup test` installs, and root for Firefox, which gets its own network.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aioice.ice

from ci.support.aiortc_peer import AiortcPeer
from ci.support.browser import Browser, chromium, firefox
from ci.support.crowd_server import counters
from ci.support.ffmpeg_process import ffmpeg_publishing
from ci.support.peers import Publisher, Viewer
from ci.support.server import Server
from ci.support.waiting import until
from ci.support.webrtcbin import webrtcbin

ROOM = "interop"
TONE_HZ = 440
CONSENT_S = 30  # the server's default
LOOPBACK_ONLY = 'ip link set lo up; ip route add default dev lo src 127.0.0.1; exec "$@"'
INSIDE = "FANWIRE_INTEROP_ALONE"

Call = Callable[[Server], AbstractAsyncContextManager[None]]


async def _media(server: Server) -> None:
    await until(lambda: counters(server.url), lambda total: total["rtp_in"] > 30, 15)


@asynccontextmanager
async def _aiortc(server: Server) -> AsyncIterator[None]:
    async with AiortcPeer() as publisher, AiortcPeer() as viewer:
        await publisher.publish(server.whip(ROOM), codec="VP8", tone_hz=TONE_HZ)
        await _media(server)
        await viewer.watch(server.whep(ROOM))
        yield


@asynccontextmanager
async def _ffmpeg(server: Server) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        async with ffmpeg_publishing(server.whip(ROOM), Path(folder), TONE_HZ), AiortcPeer() as viewer:
            await _media(server)
            await viewer.watch(server.whep(ROOM))
            yield


@asynccontextmanager
async def _webrtcbin(server: Server) -> AsyncIterator[None]:
    async with webrtcbin("publish", server.whip(ROOM)):
        await _media(server)
        async with webrtcbin("watch", server.whep(ROOM)):
            yield


@asynccontextmanager
async def _in_browser(browser: Browser, server: Server) -> AsyncIterator[None]:
    async with browser:
        await Publisher.join(browser, server.whip(ROOM), codec="VP8")
        await _media(server)
        await Viewer.join(browser, server.whep(ROOM))
        yield


CALLS: dict[str, Call] = {
    "aiortc": _aiortc,
    "chromium": lambda server: _in_browser(Browser(chromium), server),
    "ffmpeg": _ffmpeg,
    "firefox": lambda server: _in_browser(Browser(firefox), server),
    "webrtcbin": _webrtcbin,
}


async def _run(name: str, seconds: float) -> bool:
    """Whether the stack's call lasts so long; prints a line."""
    # webrtcbin offers no loopback address.
    udp_host = "0.0.0.0" if name == "webrtcbin" else "127.0.0.1"
    async with AsyncExitStack() as stack:
        options = ("--insecure", f"--consent-timeout-s={CONSENT_S}")
        server = await stack.enter_async_context(Server(*options, udp_host=udp_host))
        await stack.enter_async_context(CALLS[name](server))
        await asyncio.sleep(max(0.0, seconds - CONSENT_S))
        before = await counters(server.url)
        await asyncio.sleep(min(seconds, CONSENT_S))
        after = await counters(server.url)
    checks, sent = after["stun_out"] - before["stun_out"], after["rtp_out"] - before["rtp_out"]
    passed = after["transports"] == 2 and sent > 0
    result = "ok" if passed else f"FAILED: {2 - after['transports']} sessions ended, {sent} packets to the viewer"
    print(f"{name:10} {seconds:g} s, {checks:3} checks answered in the last {CONSENT_S} s: {result}", flush=True)
    return passed


async def _run_all(names: list[str], seconds: float) -> bool:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    return all([await _run(name, seconds) for name in names])


def _run_firefox(seconds: float) -> bool:
    """Firefox makes calls over loopback only where the default route leads there."""
    command = [sys.executable, "-m", "bench.interop", "firefox", f"--seconds={seconds}"]
    alone = ["unshare", "--net", "sh", "-c", LOOPBACK_ONLY, "sh"]
    return subprocess.run([*alone, *command], env={**os.environ, INSIDE: "1"}, check=False).returncode == 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.interop", description="Runs each stack in a long call.")
    parser.add_argument("stacks", nargs="*", metavar="STACK", help=f"of {', '.join(CALLS)}; all by default")
    parser.add_argument("--seconds", type=float, default=70.0, help="length of each call (70)")
    options = parser.parse_args()
    if unknown := set(options.stacks) - set(CALLS):
        parser.error(f"{', '.join(sorted(unknown))}: expected {', '.join(CALLS)}")
    names = options.stacks or list(CALLS)
    apart = [name for name in names if name == "firefox" and INSIDE not in os.environ]
    passed = asyncio.run(_run_all([name for name in names if name not in apart], options.seconds))
    return 0 if all([passed, *[_run_firefox(options.seconds) for _ in apart]]) else 1


if __name__ == "__main__":
    sys.exit(main())
