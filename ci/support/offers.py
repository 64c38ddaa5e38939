"""Offers of real clients, captured in tests/fixtures/offers, and functions to answer them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from fanwire.control.media.engine import ProducerSpec
from fanwire.control.session.negotiate import (
    LocalTransport,
    Published,
    Subscribed,
    agree,
    agree_publish,
)
from fanwire.control.session.sdp import parse

_FOLDER = Path(__file__).parents[2] / "tests/fixtures/offers"
NAMES = sorted(path.stem for path in _FOLDER.glob("*.sdp"))
PUBLISHERS = [name for name in NAMES if "-publish" in name and "two-cameras" not in name]
VIEWERS = [name for name in NAMES if "-subscribe" in name]

LOCAL = LocalTransport(
    "srvufrag",
    "server+password/24chars0",
    f"sha-256 {':'.join(['AB'] * 32)}",
    ("candidate:1 1 udp 2130706431 127.0.0.1 7800 typ host",),
)


def text(name: str) -> str:
    """A captured offer, to the byte."""
    return (_FOLDER / f"{name}.sdp").read_bytes().decode()


def changed(name: str, pattern: str, replacement: str) -> str:
    """A captured offer with every match of a pattern (`^` is a line's start) replaced; there must be one."""
    found, count = re.subn(pattern, replacement, text(name), flags=re.MULTILINE)
    assert count
    return found


def publish(offer: str) -> Published:
    """Answers an offer to publish."""
    return agree_publish(parse(offer)).answer(LOCAL, session_id=7)


def subscribe(offer: str, sources: Sequence[ProducerSpec] = ()) -> Subscribed:
    """Answers an offer to watch `sources`, with SSRCs from 1000 on."""
    ssrcs = itertools.count(1000)
    return agree(parse(offer), sources).answer(
        LOCAL,
        stream="room",
        cname="fanwire",
        ssrc_factory=lambda: next(ssrcs),
        session_id=7,
    )
