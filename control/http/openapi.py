"""The OpenAPI document of all HTTP endpoints except the pages."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from aiohttp import web

from .admin import DEFAULT_PAGE, DEFAULT_TTL_S, MAX_PAGE, PREFIX
from .body import JSON
from .names import NAME_PATTERN
from .openapi_schemas import SCHEMAS, ref
from .signaling import FRAGMENT, SDP
from .whep import EVENT_STREAM

PATH = "/api/openapi.json"

Node = dict[str, Any]

_NAME: Node = {"type": "string", "pattern": NAME_PATTERN, "examples": ["demo"]}
_NEEDS_TOKEN = [401, 403, 429]
_PROBLEMS = {
    400: "The request is malformed.",
    401: "A token is needed, or the token is invalid.",
    403: "The token does not allow this.",
    404: "The resource does not exist, or no longer.",
    409: "The request conflicts with the current state: see the problem's type.",
    412: "The entity tag is not the current one.",
    413: "The body is too large.",
    415: "The body has the wrong type.",
    422: "The offer, or the choice of layers, is well-formed but cannot be served.",
    428: "If-Match is missing.",
    429: "Too many requests from this address.",
    503: "The server or the room is full, or the server is about to stop.",
}
_DETAILS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the document."""

    async def show(_: web.Request) -> web.Response:
        return web.json_response(document())

    router.add_get(PATH, show)


@cache
def document() -> Node:
    """The whole document (OpenAPI 3.1)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanwire",
            "version": version("fanwire"),
            "description": "WHIP to publish, WHEP to watch, and an API to observe and control the server. "
            "Tokens are needed if the server has keys.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": "media"}, {"name": "admin"}, {"name": "probes"}],
        "security": [{}, {"token": []}],
        "paths": {
            **_signaling("whip", "publish", _query("identity", _NAME, "The publisher's name; a token has its own.")),
            **_signaling("whep", "watch", _query("publisher", _NAME, "The publisher to watch; default: the newest.")),
            **_extensions(),
            **_admin(),
            **_probes(),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": SCHEMAS,
        },
    }


def _signaling(protocol: str, verb: str, query: Node) -> Node:
    room = _path("room", _NAME)
    match = {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "pattern": r'^(\*|"[A-Za-z0-9_-]+")$'},
        "description": "The ETag to add candidates, or * to restart ICE.",
    }
    created = {
        name: {"schema": {"type": "string"}, "description": text}
        for name, text in (
            ("Location", "The URL of the session."),
            ("ETag", "The entity tag of the ICE session."),
            ("Link", "STUN and TURN servers (rel=ice-server), and WHEP's extensions."),
        )
    }
    return {
        f"/{protocol}/{{room}}": {
            "parameters": [room],
            "post": _operation(
                f"{protocol}-{verb}",
                "media",
                f"Open a session to {verb}.",
                {201: _answer("The SDP answer.", SDP, {"type": "string"}) | {"headers": created}},
                [400, *_NEEDS_TOKEN, 409, 413, 415, 422, 503],
                parameters=[query],
                body=(SDP, {"type": "string"}),
            ),
        },
        f"/{protocol}/{{room}}/{{session}}": {
            "parameters": [room, _path("session", {"type": "string"})],
            "patch": _operation(
                f"{protocol}-change",
                "media",
                "Add ICE candidates, or restart ICE (RFC 8840).",
                {
                    200: _answer("ICE is restarted.", FRAGMENT, {"type": "string"}),
                    204: {"description": "The candidates are accepted."},
                },
                [400, *_NEEDS_TOKEN, 404, 412, 413, 415, 428],
                parameters=[match],
                body=(FRAGMENT, {"type": "string"}),
            ),
            "delete": _operation(
                f"{protocol}-leave", "media", "End the session.", {200: {"description": "Ended."}}, [*_NEEDS_TOKEN, 404]
            ),
        },
    }


def _extensions() -> Node:
    session = [_path("room", _NAME), _path("session", {"type": "string"})]
    created = {"Location": {"schema": {"type": "string"}, "description": "The URL of the stream, a secret."}}
    return {
        "/whep/{room}/{session}/layer": {
            "parameters": session,
            "post": _operation(
                "whep-choose-layers",
                "media",
                "Choose the layers of a picture. A missing member means the highest.",
                {200: {"description": "The layers are sent as soon as they can be decoded."}},
                [400, *_NEEDS_TOKEN, 404, 413, 415, 422],
                body=(JSON, ref("LayerChoice")),
            ),
        },
        "/whep/{room}/{session}/sse": {
            "parameters": session,
            "post": _operation(
                "whep-create-events",
                "media",
                "Create a stream of the given events, or of all.",
                {201: {"description": "Read it at Location.", "headers": created}},
                [400, *_NEEDS_TOKEN, 404, 409, 413, 415],
                body=(JSON, ref("EventNames")),
                body_required=False,
            ),
        },
        "/whep/{room}/{session}/sse/{stream}": {
            "parameters": [*session, _path("stream", {"type": "string"})],
            "get": _operation(
                "whep-read-events",
                "media",
                "Read the events. The URL suffices: no token is needed.",
                {200: _answer("Server-sent events.", EVENT_STREAM, {"type": "string"})},
                [403, 404],
            ),
            "delete": _operation(
                "whep-end-events", "media", "End the stream.", {204: {"description": "Ended."}}, [403, 404]
            ),
        },
    }


def _admin() -> Node:
    page = [
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}, "Page size."),
        _query("after", {"type": "string"}, "The `next` of the previous page."),
    ]
    in_room = _query("room", _NAME, "Only the sessions of this room.")
    session = {"parameters": [_path("session", {"type": "string"})]}
    sessions = _json("Open sessions, by id.", "Sessions")
    return {
        f"{PREFIX}/rooms": {
            "get": _admins(
                "list-rooms", "List rooms.", {200: _json("Rooms, by name.", "Rooms")}, [400], parameters=page
            )
        },
        f"{PREFIX}/rooms/{{room}}": {
            "parameters": [_path("room", _NAME)],
            "get": _admins("show-room", "Show a room.", {200: _json("The room.", "Room")}, [400, 404]),
        },
        f"{PREFIX}/sessions": {
            "get": _admins("list-sessions", "List sessions.", {200: sessions}, [400], parameters=[*page, in_room])
        },
        f"{PREFIX}/sessions/{{session}}": {
            **session,
            "get": _admins(
                "show-session",
                "Show a session and its statistics.",
                {200: _json("The session.", "SessionStats")},
                [404],
            ),
            "patch": _admins(
                "change-session",
                "Set the preferred layers of a viewer. Other pictures keep theirs.",
                {200: _json("The session.", "SessionMedia")},
                [400, 404, 409, 413, 415, 422],
                body=(JSON, ref("SessionChange")),
            ),
            "delete": _admins("close-session", "End a session.", {204: {"description": "Ended."}}, [404]),
        },
        f"{PREFIX}/tokens": {
            "post": _admins(
                "mint-token",
                f"Make a token, valid for {DEFAULT_TTL_S} seconds by default.",
                {201: _json("The token.", "Token")},
                [400, 409, 413, 415],
                body=(JSON, ref("TokenRequest")),
            )
        },
        f"{PREFIX}/drain": {
            "post": _admins(
                "drain",
                "Accept no more sessions, end the remaining ones after a timeout, and stop.",
                {202: _json("The number of open sessions.", "Draining")},
                [],
            )
        },
    }


def _probes() -> Node:
    status = _answer("The server works.", "application/json", ref("Status"))
    return {
        "/healthz": {"get": _operation("healthz", "probes", "Is the server alive?", {200: status}, [])},
        "/readyz": {
            "get": _operation(
                "readyz",
                "probes",
                "Does the server accept sessions?",
                {200: status, 503: {**status, "description": "No: it is about to stop."}},
                [],
            )
        },
        "/metrics": {
            "get": _operation(
                "metrics",
                "probes",
                "Metrics for Prometheus (grant: metrics or admin).",
                {200: _answer("The text format.", "text/plain", {"type": "string"})},
                _NEEDS_TOKEN,
            )
        },
        PATH: {
            "get": _operation(
                "openapi",
                "probes",
                "This document.",
                {200: _answer("OpenAPI 3.1.", "application/json", {"type": "object"})},
                [],
            )
        },
    }


def _admins(name: str, summary: str, answers: dict[int, Node], problems: list[int], **more: Any) -> Node:
    return _operation(name, "admin", f"{summary} (Grant: admin.)", answers, [*_NEEDS_TOKEN, *problems], **more)


def _operation(
    name: str,
    tag: str,
    summary: str,
    answers: dict[int, Node],
    problems: list[int],
    *,
    parameters: list[Node] | None = None,
    body: tuple[str, Node] | None = None,
    body_required: bool = True,
) -> Node:
    responses = {str(status): answer for status, answer in answers.items()}
    responses |= {str(status): _problem(status) for status in sorted(problems)}
    operation: Node = {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": body_required, "content": {body[0]: {"schema": body[1]}}}
    return operation


def _problem(status: int) -> Node:
    answer = _answer(_PROBLEMS[status], "application/problem+json", ref("Problem"))
    if status in _DETAILS:
        answer["headers"] = {_DETAILS[status]: {"required": status != 503, "schema": {"type": "string"}}}
    return answer


def _answer(description: str, content_type: str, schema: Node) -> Node:
    return {"description": description, "content": {content_type: {"schema": schema}}}


def _json(description: str, name: str) -> Node:
    return _answer(description, "application/json", ref(name))


def _path(name: str, schema: Node) -> Node:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, schema: Node, description: str) -> Node:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
