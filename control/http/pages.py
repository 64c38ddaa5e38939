"""The web pages: a start page, one to publish, one to watch, and their assets."""

from __future__ import annotations

from aiohttp import web

from .assets import assets
from .names import valid_name
from .problems import Problem


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the pages. They read the room from their URL."""
    router.add_get("/", _index)
    router.add_get("/{page:publish|watch}/{room}", _room_page)
    router.add_get("/assets/{name}", _asset)


async def _index(request: web.Request) -> web.Response:
    return assets()["index.html"].response(request)


async def _room_page(request: web.Request) -> web.Response:
    valid_name("room name", request.match_info["room"])
    return assets()[f"{request.match_info['page']}.html"].response(request)


async def _asset(request: web.Request) -> web.Response:
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise Problem(404, "This file does not exist.")
    return asset.response(request)
