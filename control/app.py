"""Assembles the server from engine, rooms and HTTP, runs it, and drains it on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from .config.options import Config
from .config.values import show_address
from .http.access import Access
from .http.api import add_node_routes, create_app
from .http.listener import RESERVE, HttpServer
from .media.engine import BackendError, Engine, EngineConfig
from .rooms.rooms import Rooms
from .session.certificate import Certificate
from .session.ice import HostCandidates
from .session.session import SessionServices
from .startup import StartupError, allow_open_files, binding

log = logging.getLogger(__name__)

# One handshake takes less CPU time than the rest of a join on the event loop, so a second thread would only take CPU
# time from the workers.
_HANDSHAKE_THREADS = 1

# TCP connections of each worker at most. All workers together take at most half of the files that may be open. The
# other half is for HTTP, less _OTHER_FILES: the workers' sockets, and files open for a moment, as for /metrics.
_TCP_CONNECTIONS = 4096
_OTHER_FILES = RESERVE + 64


async def serve(config: Config) -> None:
    """Run the server until SIGINT, or until it is drained after SIGTERM. Raises StartupError."""
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(_HANDSHAKE_THREADS, "fanwire-dtls"))
        engine = await stack.enter_async_context(_engine(config))
        services = SessionServices(engine, Certificate.generate(), executor, HostCandidates(config.listen.announce))
        rooms = Rooms(services, config.rooms)
        stack.push_async_callback(rooms.close)
        hurry = _stop_on_signals(rooms)
        with binding("--http", show_address(config.http.http)):
            server = await stack.enter_async_context(_http(config, rooms, engine))
        _announce(config, server.addresses[0])
        await rooms.draining.wait()
        await _drain(rooms, config.process.drain_timeout_s, hurry)
        log.info("stopping")


def _stop_on_signals(rooms: Rooms) -> asyncio.Event:
    """SIGTERM starts draining. SIGINT or a second SIGTERM sets the returned event, which ends draining at once."""
    hurry = asyncio.Event()

    def stop(number: int) -> None:
        if number == signal.SIGINT or rooms.draining.is_set():
            hurry.set()
        rooms.drain()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return hurry


async def _drain(rooms: Rooms, timeout_s: float, hurry: asyncio.Event) -> None:
    """Wait until no session is left, for at most `timeout_s`, or until `hurry` is set."""
    left = asyncio.create_task(rooms.wait_until_empty())
    hurried = asyncio.create_task(hurry.wait())
    if remaining := rooms.drain():
        log.info("draining: %d sessions have at most %g s to leave", remaining, timeout_s)
    await asyncio.wait([left, hurried], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in (left, hurried):
        task.cancel()


@contextlib.asynccontextmanager
async def _engine(config: Config) -> AsyncIterator[Engine]:
    listen = config.listen
    engine_config = EngineConfig(
        udp=[listen.worker_udp(index) for index in range(listen.workers)],
        tcp=[listen.worker_tcp(index) for index in range(listen.workers)],
        tcp_connections_per_worker=max(1, min(_TCP_CONNECTIONS, allow_open_files() // 2 // listen.workers)),
        options=config.media,
    )
    async with contextlib.AsyncExitStack() as stack:
        engine = Engine(engine_config)
        try:
            await stack.enter_async_context(engine)
        except BackendError as error:
            raise StartupError(
                f"--crypto {config.media.crypto}: {error}; fanwire doctor lists what this machine has"
            ) from error
        except OSError as error:
            with binding("--udp, --tcp", str(error.filename or "its addresses")):
                raise
        yield engine


def _http(config: Config, rooms: Rooms, engine: Engine) -> HttpServer:
    app = create_app(rooms, config.http, access=Access(config.access))
    add_node_routes(app, rooms, engine.counters, engine.crypto)
    files = max(1, allow_open_files() // 2 - _OTHER_FILES)
    return HttpServer(app, config.http, connections=files, trusted_proxies=config.access.trusted_proxies)


def _announce(config: Config, address: tuple[str, int]) -> None:
    """Print the URLs of the pages, and how to open the server to other machines."""
    scheme = "https" if config.http.tls_cert else "http"
    host = config.http.http[0]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = "localhost"
    origin = f"{scheme}://{show_address((host, address[1]))}"
    print(f"Publish: {origin}/publish/demo\nWatch:   {origin}/watch/demo", flush=True)
    if config.access.keys:
        print("Every client needs a token, as in #token=...; fanwire token makes one.", flush=True)
    elif not config.access.insecure:
        print(
            "Without keys only this machine can reach the server; --keys or --insecure opens it to others.",
            flush=True,
        )
