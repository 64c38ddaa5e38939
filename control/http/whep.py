"""WHEP (draft-ietf-wish-whep) and its two extensions: server-sent events, and the choice of layers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import hdrs, web

from ..rooms.errors import SessionNotFound
from ..rooms.events import EVENT_NAMES, Event, EventName
from ..rooms.policy import Permit
from . import cors
from .body import JSON, read_json, read_object
from .contract import ACCESS, ROOMS, Joined, SignalingApi, SignalingSession
from .layers import media_document, read_index, read_preferred_layers
from .problems import Problem
from .signaling import Signaling

EVENT_STREAM = "text/event-stream"

_URN = "urn:ietf:params:whep:ext:core"
_HEARTBEAT_S = 15.0  # proxies and browsers close streams that are silent for longer
_WRITE_S = 30.0  # a client that reads nothing for this time is disconnected
_RETRY_MS = 2000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Whep(Signaling):
    """Watching. `?publisher=` is the identity to watch, else the newest publisher.

    An event stream has an address of its own that nobody can guess: a browser's EventSource cannot send a token, so
    knowing the address is the permission to read the stream and to end it, and gives no other.
    """

    name, kind, person = "whep", "subscribe", "publisher"

    async def join(
        self, rooms: SignalingApi, room: str, offer: str, person: str | None, permit: Permit | None, client: str
    ) -> Joined:
        return await rooms.subscribe(room, offer, publisher=person, permit=permit, client=client)

    def links(self, location: str) -> list[str]:
        events = ",".join(EVENT_NAMES)
        return [
            f'<{location}/layer>; rel="{_URN}:layer"',
            f'<{location}/sse>; rel="{_URN}:server-sent-events"; events="{events}"',
        ]

    def add_routes(self, router: web.UrlDispatcher) -> None:
        super().add_routes(router)
        session = f"/{self.name}/{{room}}/{{session}}"
        routes: dict[str, dict[str, Handler]] = {
            "/layer": {hdrs.METH_POST: self._choose_layers},
            "/sse": {hdrs.METH_POST: self._create_stream},
            "/sse/{stream}": {hdrs.METH_GET: self._read_stream, hdrs.METH_DELETE: self._end_stream},
        }
        for path, handlers in routes.items():
            resource = router.add_resource(session + path)
            for method, handler in handlers.items():
                resource.add_route(method, handler)
            accepts = {"Accept-Post": JSON} if hdrs.METH_POST in handlers else {}
            resource.add_route(hdrs.METH_OPTIONS, cors.preflight([*handlers, hdrs.METH_OPTIONS], accepts))

    async def _choose_layers(self, request: web.Request) -> web.Response:
        session = self.session_of(request)
        body = await read_object(request)
        index = read_index(body["mediaId"]) if "mediaId" in body else None
        await session.choose_layers({index: read_preferred_layers(body, but=["mediaId"])})
        return web.Response()

    async def _create_stream(self, request: web.Request) -> web.Response:
        session = self.session_of(request)
        stream = session.open_events(_event_names(await read_json(request) if request.body_exists else None))
        return web.Response(status=201, headers={"Location": f"{request.rel_url.raw_path}/{stream}"})

    async def _read_stream(self, request: web.Request) -> web.StreamResponse:
        batches = self._session_at(request).read_events(request.match_info["stream"])
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = EVENT_STREAM
        await response.prepare(request)
        written_at = 0.0
        try:
            async with contextlib.aclosing(batches):
                await _write(response, f"retry: {_RETRY_MS}\n\n")
                async for events in batches:
                    now = time.monotonic()
                    if events or now - written_at >= _HEARTBEAT_S:
                        written_at = now
                        await _write(response, "".join(map(_show, events)) or ":\n\n")
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()  # what it has not taken is not waited for
        return response

    async def _end_stream(self, request: web.Request) -> web.Response:
        self._session_at(request).close_events(request.match_info["stream"])
        return web.Response(status=204)

    def _session_at(self, request: web.Request) -> SignalingSession:
        """The session in the address, which is all that a request needs. Raises Problem 403, SessionNotFound."""
        request.app[ACCESS].check_origin(request)
        session = request.app[ROOMS].session(request.match_info["session"])
        if (session.kind, session.room) != (self.kind, request.match_info["room"]):
            raise SessionNotFound
        return session


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_WRITE_S):
        await response.write(text.encode())


def _show(event: Event) -> str:
    data: dict[str, Any] = {}
    if event.layers is not None:
        data = media_document(event.layers)
    elif event.viewers is not None:
        data = {"viewercount": event.viewers}
    return f"event: {event.name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _event_names(wanted: object) -> list[EventName]:
    """The events asked for; all where nothing was said. Raises Problem 400."""
    if wanted is None:
        return list(EVENT_NAMES)
    if not isinstance(wanted, list) or not wanted or any(name not in EVENT_NAMES for name in wanted):
        raise Problem(400, f"Send a JSON array of events: {', '.join(EVENT_NAMES)}.", kind="invalid-events")
    return [cast("EventName", name) for name in wanted]
