"""Registers this server's content types with schemathesis, which loads this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis

_OFFERS = Path(__file__).parents[2] / "tests/fixtures/offers"
_FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"

for _type in ("application/sdp", "application/trickle-ice-sdpfrag"):
    schemathesis.serializer.alias(_type, "text/plain")


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Sends a captured offer for valid requests, because a generated string is no SDP."""
    positive = case.meta is None or case.meta.generation.mode.is_positive
    if positive and case.media_type == "application/sdp":
        name = "subscribe" if case.path.startswith("/whep/") else "publish"
        case.body = (_OFFERS / f"aiortc-{name}.sdp").read_bytes().decode()
    elif positive and case.media_type == "application/trickle-ice-sdpfrag":
        case.body = _FRAGMENT
    return case
