"""The API under /api/v1: lists rooms and sessions, changes and ends sessions, mints tokens, drains the node."""

from __future__ import annotations

import heapq
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from aiohttp import hdrs, web

from ..rooms.layers import PreferredLayers
from ..rooms.member import Member
from ..rooms.room import Room
from ..rooms.rooms import Rooms
from . import cors, stats, tokens
from .body import read_object
from .contract import ACCESS
from .layers import media_document, read_index, read_preferred_layers
from .names import valid_name
from .problems import Problem

PREFIX = "/api/v1"
MAX_PAGE = 1000
DEFAULT_PAGE = 100
DEFAULT_TTL_S = 3600

_TOKEN_MEMBERS: dict[str, type] = {"identity": str, "room": str, "ttl": int} | dict.fromkeys(tokens.GRANTS, bool)
_IN_WORDS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false"}

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Admin:
    """The API over the rooms of a node. Every request needs the admin grant."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve the API."""
        routes: dict[str, dict[str, Handler]] = {
            "/rooms": {hdrs.METH_GET: self._list_rooms},
            "/rooms/{room}": {hdrs.METH_GET: self._show_room},
            "/sessions": {hdrs.METH_GET: self._list_sessions},
            "/sessions/{session}": {
                hdrs.METH_GET: self._show_session,
                hdrs.METH_PATCH: self._change_session,
                hdrs.METH_DELETE: self._close_session,
            },
            "/tokens": {hdrs.METH_POST: self._mint},
            "/drain": {hdrs.METH_POST: self._drain},
        }
        for path, handlers in routes.items():
            resource = router.add_resource(PREFIX + path)
            resource.add_route(hdrs.METH_OPTIONS, cors.preflight([*handlers, hdrs.METH_OPTIONS], {}))
            for method, handler in handlers.items():
                resource.add_route(method, _for_admins(handler))

    async def _list_rooms(self, request: web.Request) -> web.Response:
        page, following = _page(request, self._rooms.rooms.values(), lambda room: room.name)
        return _json({"rooms": [_room(room) for room in page], "next": following})

    async def _show_room(self, request: web.Request) -> web.Response:
        return _json(_room(self._rooms.room(valid_name("room name", request.match_info["room"]))))

    async def _list_sessions(self, request: web.Request) -> web.Response:
        name = request.query.get("room")
        if name is not None:
            valid_name("room name", name)
        members = (member for member in self._rooms.sessions.values() if name in (None, member.room))
        page, following = _page(request, members, lambda member: member.id)
        return _json({"sessions": [_session(member) for member in page], "next": following})

    async def _show_session(self, request: web.Request) -> web.Response:
        member = self._rooms.session(request.match_info["session"])
        statistics = await member.statistics()
        report = stats.report(member.session, statistics)
        return _json(_session(member) | {"media": media_document(await member.media()), "stats": report})

    async def _change_session(self, request: web.Request) -> web.Response:
        member = self._rooms.session(request.match_info["session"])
        await member.choose_layers(_preferred_by_medium(await read_object(request)))
        return _json(_session(member) | {"media": media_document(await member.media())})

    async def _close_session(self, request: web.Request) -> web.Response:
        await self._rooms.session(request.match_info["session"]).close()
        return web.Response(status=204)

    async def _mint(self, request: web.Request) -> web.Response:
        wanted = _token_request(await read_object(request))
        access = request.app[ACCESS]
        if not access.keys:
            raise Problem(409, "The server has no keys, so it needs no tokens.", kind="no-keys")
        try:
            token = tokens.mint(access.keys, **wanted)
        except tokens.TokenError as error:
            raise Problem(400, str(error), title="The token cannot be made", kind="token-not-possible") from None
        permit = tokens.read(access.keys, token)
        document = {"token": token, "identity": permit.identity, "expiresAt": permit.expires_at - tokens.LEEWAY_S}
        return _json(document, status=201)

    async def _drain(self, _: web.Request) -> web.Response:
        return _json({"sessions": self._rooms.drain()}, status=202)


def _for_admins(handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.Response:
        request.app[ACCESS].check_admin(request)
        return await handler(request)

    return checked


def _page(request: web.Request, items: Iterable[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """The items of one page in the order of their keys, and the `after` of the next page."""
    after, limit = request.query.get("after", ""), request.query.get("limit", str(DEFAULT_PAGE))
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise Problem(400, f"The limit must be from 1 to {MAX_PAGE}.", kind="invalid-parameter")
    found = heapq.nsmallest(int(limit) + 1, (item for item in items if key(item) > after), key=key)
    page = found[: int(limit)]
    return page, key(page[-1]) if len(found) > len(page) else None


def _token_request(body: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `mint` in a request. Raises Problem 400."""
    for name, value in body.items():
        kind = _TOKEN_MEMBERS.get(name)
        if type(value) is float and value.is_integer():
            body[name] = value = int(value)  # JSON does not distinguish 1 and 1.0
        if kind is None or type(value) is not kind:
            expected = _IN_WORDS[kind] if kind is not None else "nothing"
            raise Problem(400, f"Expected {expected} for {name[:64]!r}.", kind="invalid-parameter")
    return {
        "identity": body.get("identity", secrets.token_urlsafe(9)),
        "room": body.get("room"),
        "grants": {name: body.get(name, False) for name in tokens.GRANTS},
        "ttl_s": body.get("ttl", DEFAULT_TTL_S),
    }


def _preferred_by_medium(body: dict[str, Any]) -> dict[int | None, PreferredLayers]:
    """The preferred layers in a request by index of the medium, None for the first. Raises Problem 400."""
    media = body.get("media")
    if body.keys() != {"media"} or not isinstance(media, dict) or not media:
        raise Problem(400, 'Send {"media": {...}}, with the preferred layers by mediaId.', kind="invalid-layers")
    choices: dict[int | None, PreferredLayers] = {}
    for media_id, preferred in media.items():
        if preferred is not None and not isinstance(preferred, dict):
            raise Problem(400, "Preferred layers are an object, or null for the highest.", kind="invalid-layers")
        choices[read_index(media_id)] = read_preferred_layers(preferred or {})
    return choices


def _room(room: Room) -> dict[str, Any]:
    newest = room.find(None)
    return {
        "name": room.name,
        "publishers": len(room.publications),
        "viewers": len(room.subscriptions),
        "newestPublisher": newest.identity if newest is not None else None,
    }


def _session(member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "room": member.room,
        "kind": member.kind,
        "identity": member.identity,
        "state": member.session.state.name.lower(),
        "joinedAt": member.joined_at,
        "expiresAt": member.expires_at,
    }


def _json(document: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(document, status=status, headers={"Cache-Control": "no-store"})
