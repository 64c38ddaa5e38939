"""Runs the real server, as `fanwire serve`, on free ports of this machine's loopback."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from .waiting import until

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10


class Server:
    """A server process; on leaving, it is stopped and must exit without errors in its log.

    The test pages (ci/support/web) have another origin, so all are allowed unless `options` say otherwise.
    """

    def __init__(self, *options: str, workers: int = 1, udp_host: str = "127.0.0.1") -> None:
        self.udp_port = _free_media_ports(udp_host, workers)
        self.url = f"http://127.0.0.1:{_free_tcp_port()}"
        host = f"[{udp_host}]" if ":" in udp_host else udp_host
        self._command = [
            str(Path(sys.executable).with_name("fanwire")),
            "serve",
            f"--http={self.url.removeprefix('http://')}",
            f"--udp={host}:{self.udp_port}",
            f"--workers={workers}",
            "--drain-timeout-s=0",
            *([] if any(option.startswith("--allow-origin") for option in options) else ["--allow-origin=*"]),
            *options,
        ]

    def whip(self, room: str) -> str:
        """The WHIP URL of a room."""
        return f"{self.url}/whip/{room}"

    def whep(self, room: str) -> str:
        """The WHEP URL of a room."""
        return f"{self.url}/whep/{room}"

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The server's output so far."""
        return self._log.read_text(errors="replace")

    async def __aenter__(self) -> Self:
        with ExitStack() as stack:
            self._log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fanwire-server-"))) / "log"
            environment = {key: value for key, value in os.environ.items() if not key.startswith("FANWIRE_")}
            with self._log.open("wb") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                )
            try:
                await self._wait_until_up()
            except BaseException:
                await self._stop()
                print(self.log)
                raise
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            await self._stop()
            print(self.log)
            for sign in ("Traceback", "Error in", "Exception ignored"):
                assert sign not in self.log, "the server met with an exception that nobody caught"
            assert self._process.returncode == 0, f"the server ended with status {self._process.returncode}"

    async def counter(self, name: str) -> int:
        """One counter of /metrics, summed over all workers."""
        async with aiohttp.ClientSession() as client, client.get(f"{self.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        prefix = f"fanwire_worker_{name}_total{{"
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(prefix))

    async def wait_until_gone(self, resource: str, timeout_s: float) -> None:
        """Waits until the session at URL `resource` has ended.

        Sends requests with an ETag that never matches, which change nothing: 412 while the session exists, then 404.
        """
        headers = {"If-Match": '"stale"', "Content-Type": "application/trickle-ice-sdpfrag"}
        async with aiohttp.ClientSession() as client:

            async def status() -> int:
                async with client.patch(resource, headers=headers) as response:
                    return response.status

            await until(status, lambda found: found == 404, timeout_s)

    async def _wait_until_up(self) -> None:
        async with aiohttp.ClientSession() as client:

            async def is_up() -> bool:
                assert self._process.returncode is None, "the server did not start"
                try:
                    async with client.get(f"{self.url}/healthz") as response:
                        return response.status == 200
                except aiohttp.ClientConnectionError:
                    return False

            await until(is_up, bool, START_TIMEOUT_S)

    async def _stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _free_media_ports(host: str, count: int) -> int:
    """The first of `count` consecutive ports that are free for UDP and for TCP."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with ExitStack() as stack:
            first = 0
            try:
                for i in range(count):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        probe = stack.enter_context(socket.socket(family, kind))
                        probe.bind((host, first + i if first else 0))
                        first = first or probe.getsockname()[1]
            except (OSError, OverflowError) as error:
                if isinstance(error, OSError) and error.errno != errno.EADDRINUSE:
                    raise
            else:
                return first
