"""Assembles the server from engine, rooms and HTTP, runs it, and drains it on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from .config.options import Config
from .config.values import show_address
from .http.access import Access
from .http.api import add_node_routes, create_app
from .http.faults import fault_logger
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

# Idle HTTP connections are closed after this time, because each is an open file.
_IDLE_CONNECTION_S = 75.0

# TCP connections of each worker at most. All workers together take at most half of the files that may be open.
_TCP_CONNECTIONS = 4096


async def serve(config: Config) -> None:
    """Run the server until SIGINT, or until it is drained after SIGTERM. Raises StartupError."""
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(_HANDSHAKE_THREADS, "fanwire-dtls"))
        engine = await stack.enter_async_context(_engine(config))
        services = SessionServices(engine, Certificate.generate(), executor, HostCandidates(config.listen.announce))
        rooms = Rooms(services, config.rooms)
        stack.push_async_callback(rooms.close)
        hurry = _stop_on_signals(rooms)
        address = await stack.enter_async_context(_http(config, rooms, engine))
        _announce(config, address)
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


@contextlib.asynccontextmanager
async def _http(config: Config, rooms: Rooms, engine: Engine) -> AsyncIterator[tuple[str, int]]:
    """Serve HTTP. Yields the (host, port) that the server listens on."""
    app = create_app(rooms, config.http, access=Access(config.access))
    add_node_routes(app, rooms, engine.counters, engine.crypto)
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=_IDLE_CONNECTION_S,
        logger=fault_logger(app),
        shutdown_timeout=1.0,
        max_line_size=config.http.max_header_bytes,
        max_field_size=config.http.max_header_bytes,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, *config.http.http, ssl_context=config.http.tls_context())
        with binding("--http", show_address(config.http.http)):
            await site.start()
        yield runner.addresses[0][:2]
    finally:
        await runner.cleanup()


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
