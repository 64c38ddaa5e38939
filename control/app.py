"""The server put together: workers, rooms and HTTP, from start to SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from .config import Config
from .config_values import show_address
from .http.api import create_app
from .media.engine import Engine, EngineConfig
from .rooms.rooms import Rooms
from .session.certificate import Certificate
from .session.session import SessionServices
from .startup import binding

log = logging.getLogger(__name__)

# Handshakes release the interpreter's lock for most of their time; more threads than this gain nothing.
_HANDSHAKE_THREADS = 2


async def serve(config: Config) -> None:
    """Run the server until SIGTERM or SIGINT. Raises StartupError where an address cannot be taken."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(_HANDSHAKE_THREADS, "fanwire-dtls"))
        engine = await stack.enter_async_context(_engine(config))
        services = SessionServices(engine, Certificate.generate(), executor, config.announce, config.connect_timeout_s)
        rooms = Rooms(services)
        stack.push_async_callback(rooms.close)
        address = await stack.enter_async_context(_http(config, rooms))
        _announce(config, address)
        await stopping.wait()
        log.info("stopping")


@contextlib.asynccontextmanager
async def _engine(config: Config) -> AsyncIterator[Engine]:
    engine_config = EngineConfig(
        udp=[config.worker_udp(index) for index in range(config.workers)],
        packets_per_worker=config.packets_per_worker,
        consent_timeout_s=config.consent_timeout_s,
        connect_timeout_s=config.connect_timeout_s,
    )
    async with contextlib.AsyncExitStack() as stack:
        engine = Engine(engine_config)
        try:
            await stack.enter_async_context(engine)
        except OSError as error:
            with binding("--udp", str(error.filename or "its addresses")):
                raise
        for worker, sockets in enumerate(engine.capabilities()):
            for granted in sockets:
                log.info("worker %d: %s", worker, ", ".join(f"{name} {value}" for name, value in granted.items()))
        yield engine


@contextlib.asynccontextmanager
async def _http(config: Config, rooms: Rooms) -> AsyncIterator[tuple[str, int]]:
    """Serve HTTP; yields the address that is listened on."""
    app = create_app(rooms, ice_servers=config.ice_servers, max_body_bytes=config.max_body_bytes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, *config.http, ssl_context=config.tls_context())
        with binding("--http", show_address(config.http)):
            await site.start()
        yield runner.addresses[0][:2]
    finally:
        await runner.cleanup()


def _announce(config: Config, address: tuple[str, int]) -> None:
    """Tell the person who started the server where its pages are."""
    scheme = "https" if config.tls_cert else "http"
    host = config.http[0]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = "localhost"
    origin = f"{scheme}://{show_address((host, address[1]))}"
    print(f"Publish: {origin}/publish/demo\nWatch:   {origin}/watch/demo", flush=True)
    if not config.insecure:
        print("Without keys only this machine can reach the server; --insecure opens it to others.", flush=True)
