"""The HTTP application: what is served where, and what every request passes through."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from . import cors, pages, signaling
from .contract import ICE_LINKS, ROOMS, SignalingApi
from .ice_servers import IceServer, link_headers
from .problems import problems

MAX_BODY_BYTES = 64 * 1024
"""Room for any browser's offer, simulcast and all (about 10 kB), several times over."""


def create_app(
    rooms: SignalingApi, *, ice_servers: Sequence[IceServer] = (), max_body_bytes: int = MAX_BODY_BYTES
) -> web.Application:
    """The application over `rooms`, which it neither starts nor closes."""
    # Outermost first. Who may do what is decided between problems, which reports a refusal, and the handlers.
    app = web.Application(middlewares=[problems], client_max_size=max_body_bytes)
    app.on_response_prepare.append(cors.add_headers)
    app[ROOMS] = rooms
    app[ICE_LINKS] = link_headers(ice_servers)
    app.router.add_get("/healthz", _healthz)
    signaling.Whip().add_routes(app.router)
    signaling.Whep().add_routes(app.router)
    pages.add_routes(app.router)
    return app


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})
