"""The HTTP application: its routes, and the middleware of all requests."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from ..config.options import HttpOptions
from ..media.engine import Backend
from ..rooms.rooms import Rooms
from . import headers, metrics, openapi, pages, signaling, whep
from .access import Access
from .admin import Admin
from .contract import ACCESS, ICE_LINKS, ROOMS, SignalingApi
from .ice_servers import link_headers
from .listener import keep_reserve
from .problems import PROBLEM_COUNTS, problems


def create_app(
    rooms: SignalingApi, options: HttpOptions | None = None, *, access: Access | None = None
) -> web.Application:
    """The application over `rooms`, which it neither starts nor closes. Default of `access`: without keys."""
    options = options or HttpOptions()
    # Outermost first. Who may do what is decided between problems, which reports a refusal, and the handlers.
    app = web.Application(middlewares=[keep_reserve, problems], client_max_size=options.max_body_bytes)
    app.on_response_prepare.append(headers.add_common)
    app[PROBLEM_COUNTS] = Counter()
    app[ACCESS] = access or Access()
    app[ROOMS] = rooms
    app[ICE_LINKS] = link_headers(options.ice_servers)
    app.router.add_get("/healthz", _healthz)
    signaling.Whip().add_routes(app.router)
    whep.Whep().add_routes(app.router)
    pages.add_routes(app.router)
    return app


def add_node_routes(app: web.Application, rooms: Rooms, counters: metrics.WorkerCounters, crypto: Backend) -> None:
    """Serve the endpoints of the node: the API, its description, metrics and readiness."""
    Admin(rooms).add_routes(app.router)
    metrics.add_routes(app, rooms, counters, crypto)
    openapi.add_routes(app.router)

    async def readyz(_: web.Request) -> web.Response:
        draining = rooms.draining.is_set()
        document = {"status": "draining" if draining else "ready"}
        return web.json_response(document, status=503 if draining else 200, headers={"Cache-Control": "no-store"})

    app.router.add_get("/readyz", readyz)


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})
