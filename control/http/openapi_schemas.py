"""The JSON schemas of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from ..rooms.events import EVENT_NAMES
from ..rooms.policy import ANY_ROOM
from .layers import MAX_ID_CHARS, MAX_LAYER_ID
from .names import NAME_PATTERN
from .tokens import GRANTS, MAX_TTL_S

Node = dict[str, Any]


def ref(name: str) -> Node:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: Node, optional: Node | None = None, **more: Any) -> Node:
    return {"type": "object", "required": list(required), "properties": required | (optional or {}), **more}


def _text(**more: Any) -> Node:
    return {"type": "string", **more}


def _page(name: str, what: str) -> Node:
    following = {"type": ["string", "null"], "description": "The `after` of the next page; null: there is none."}
    return _object({name: {"type": "array", "items": ref(what)}, "next": following})


def _is_true(name: str) -> Node:
    return {"properties": {name: {"const": True}}, "required": [name]}


_COUNT: Node = {"type": "integer", "minimum": 0}
_TIME: Node = {"type": "number", "description": "Unix time in seconds."}

_LAYER_ID: Node = {"type": "integer", "minimum": 0, "maximum": MAX_LAYER_ID}
_PREFERRED: Node = {
    "encodingId": _text(minLength=1, maxLength=MAX_ID_CHARS, description="The RID of an encoding, or its index."),
    "spatialLayerId": _LAYER_ID,
    "temporalLayerId": _LAYER_ID,
    "maxSpatialLayerId": _LAYER_ID,
    "maxTemporalLayerId": _LAYER_ID,
}
_MEDIA_ID_PATTERN = "^[0-9]{1,3}$"
_SIZE: Node = {"width": _COUNT, "height": _COUNT}

_SESSION: Node = {
    "id": _text(description="The last part of the session's URL."),
    "room": _text(),
    "kind": _text(enum=["publish", "subscribe"]),
    "identity": {"type": ["string", "null"]},
    "state": _text(
        enum=["new", "checked", "keyed", "closed"],
        description="checked: ICE has a path; keyed: DTLS is complete, media flows.",
    ),
    "joinedAt": _TIME,
    "expiresAt": {"type": ["number", "null"], "description": "Expiry of the token, which ends the session."},
}

SCHEMAS: Node = {
    "Problem": _object(
        {
            "type": _text(description="urn:fanwire:problem: and a kind, or about:blank."),
            "title": _text(),
            "status": {"type": "integer"},
            "detail": _text(),
            "instance": _text(),
        },
        description="RFC 9457.",
    ),
    "Status": _object({"status": _text()}),
    "Room": _object(
        {"name": _text(), "publishers": _COUNT, "viewers": _COUNT, "newestPublisher": {"type": ["string", "null"]}}
    ),
    "Rooms": _page("rooms", "Room"),
    "Session": _object(_SESSION),
    "Sessions": _page("sessions", "Session"),
    "SessionMedia": _object(_SESSION | {"media": ref("Media")}),
    "SessionStats": _object(_SESSION | {"media": ref("Media"), "stats": {"type": "array", "items": ref("Stats")}}),
    "Media": {
        "type": "object",
        "description": "The pictures of a session by their index in the SDP, as in a `layers` event.",
        "additionalProperties": _object(
            {
                "active": {"type": "array", "items": ref("Encoding")},
                "inactive": {"type": "array", "items": ref("Encoding")},
                "layers": {"type": "array", "items": ref("Layer")},
            },
            {"current": ref("Layer"), "target": ref("Layer"), "preferred": ref("Layer")},
        ),
    },
    "Encoding": _object({"id": _text(), "simulcastIdx": _COUNT}, {"bitrate": _COUNT} | _SIZE),
    "Layer": _object(
        {},
        {"encodingId": _text(), "spatialLayerId": _COUNT, "temporalLayerId": _COUNT}
        | {"simulcastIdx": _COUNT, "bitrate": _COUNT}
        | _SIZE,
    ),
    "PreferredLayers": _object({}, _PREFERRED, additionalProperties=False),
    "LayerChoice": _object(
        {},
        {"mediaId": _text(pattern=_MEDIA_ID_PATTERN, description="Its index in the SDP; default: the first picture.")}
        | _PREFERRED,
        additionalProperties=False,
        description="draft-ietf-wish-whep-01 section 4.8.2.",
    ),
    "EventNames": {"type": "array", "minItems": 1, "items": _text(enum=list(EVENT_NAMES))},
    "SessionChange": _object(
        {
            "media": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": _MEDIA_ID_PATTERN},
                "additionalProperties": {"anyOf": [ref("PreferredLayers"), {"type": "null"}]},
                "description": "The preferred layers by mediaId; null: the highest.",
            }
        },
        additionalProperties=False,
    ),
    "Stats": _object(
        {"id": _text(), "type": _text(), "timestamp": {"type": "number"}},
        description="One object of the W3C's webrtc-stats: transport, candidate-pair, local-candidate, "
        "remote-candidate, inbound-rtp, outbound-rtp, remote-inbound-rtp.",
    ),
    "TokenRequest": _object(
        {},
        {
            "identity": _text(pattern=NAME_PATTERN, description="The bearer; default: a random name."),
            "room": _text(
                pattern=rf"{NAME_PATTERN}|^\*$", description=f"A room, or {ANY_ROOM}; required to publish or subscribe."
            ),
            **{grant: {"type": "boolean", "default": False} for grant in GRANTS},
            "ttl": {"type": "integer", "minimum": 1, "maximum": MAX_TTL_S, "description": "Lifetime in seconds."},
        },
        additionalProperties=False,
        **{"if": {"anyOf": [_is_true("publish"), _is_true("subscribe")]}, "then": {"required": ["room"]}},
    ),
    "Token": _object({"token": _text(), "identity": _text(), "expiresAt": _TIME}),
    "Draining": _object({"sessions": _COUNT}),
}
