"""Viewers' offers that are alike: read once, and yet each client's own transport is found as if it were alone."""

from __future__ import annotations

import re

import pytest

from ci.support import offers
from fanwire.control.session.negotiate import remote_transport
from fanwire.control.session.offer import Offer, Offers
from fanwire.control.session.sdp import SdpError, parse

BROWSERS = [name for name in offers.VIEWERS if not name.startswith("aiortc")]  # which has fingerprints of three kinds
OTHERS = {"ufrag": "zyxw+/98", "pwd": "another+password/of+24chr", "digest": ":".join(["C4"] * 32)}


def answered(offers_read: Offers, text: str) -> Offer:
    """An offer that was read and answered, so that what it has in common with others is kept."""
    offer = offers_read.read(text)
    offers_read.agree(offer.kind, 1, ())
    return offer


def another(text: str, *, gathered: bool = False) -> str:
    """The offer as another client of the same kind makes it."""
    lines = []
    for line in text.splitlines():
        name = line.partition(":")[0]
        if line.startswith("o="):
            line = "o=- 1234567890123456789 7 IN IP4 192.0.2.1"
        elif name == "a=ice-ufrag":
            line = f"a=ice-ufrag:{OTHERS['ufrag']}"
        elif name == "a=ice-pwd":
            line = f"a=ice-pwd:{OTHERS['pwd']}"
        elif name == "a=fingerprint":
            line = f"a=fingerprint:sha-256 {OTHERS['digest']}"
        elif line.startswith("m=") and gathered:
            kind, port, rest = line.split(" ", 2)
            line = f"{kind} {'0' if port == '0' else '50123'} {rest}"
        lines.append(line)
        if line.startswith("m=") and gathered:
            lines.append("c=IN IP4 192.0.2.7")
    if gathered:
        lines.append("a=candidate:1 1 udp 2122260223 192.0.2.7 50123 typ host")
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize("name", BROWSERS)
def test_clients_of_a_kind_share_what_they_offer_and_keep_what_is_theirs(name: str) -> None:
    text = offers.text(name)
    seen = Offers()
    first = answered(seen, text)
    assert first.remote == remote_transport(parse(text))
    for other in (another(text), another(text, gathered=True), another(text).replace("\r\n", "\n")):
        read = seen.read(other)
        assert seen.agree(read.kind, 1, ()) is seen.agree(first.kind, 1, ()) is not seen.agree(first.kind, 2, ())
        assert read.kind is first.kind
        assert read.remote == remote_transport(parse(other)) != first.remote


@pytest.mark.parametrize("name", BROWSERS)
def test_what_is_kept_holds_nothing_of_the_client_that_came_first(name: str) -> None:
    text = another(offers.text(name))
    assert all(value not in repr(Offers().read(text).kind) for value in OTHERS.values())


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("a=setup:actpass", "a=setup:passive"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-rsize\r\n"),
        ("a=ice-ufrag:zyxw+/98", "a=ice-ufrag:other"),
        (f"sha-256 {OTHERS['digest']}", f"sha-384 {OTHERS['digest']}:" + ":".join(["C4"] * 16)),
    ],
)
def test_an_offer_that_differs_is_read_for_itself(line: str, instead: str) -> None:
    text = another(offers.text("chromium-subscribe"))
    assert line in text
    seen = Offers()
    answered(seen, text)
    for changed in (text.replace(line, instead, 1), text.replace(line, instead)):
        read = seen.read(changed)
        assert read.remote == remote_transport(parse(changed))
        assert parse(changed).medias[0].rtcp_rsize == read.kind.description.medias[0].rtcp_rsize


@pytest.mark.parametrize(
    "line",
    [
        "a=ice-ufrag:no",
        "a=ice-pwd:short",
        "a=fingerprint:sha-256 XY",
        "m=audio 70000 UDP/TLS/RTP/SAVPF 111",
    ],
)
def test_a_malformed_line_is_told_of_after_any_number_of_good_offers(line: str) -> None:
    text = another(offers.text("chromium-subscribe"))
    seen = Offers()
    answered(seen, text)
    start = "m=" if line[:2] == "m=" else line.partition(":")[0]
    lines = text.split("\r\n")
    place = next(number for number, one in enumerate(lines) if one.startswith(start))
    lines[place] = line
    with pytest.raises(SdpError, match=re.escape(line)):
        seen.read("\r\n".join(lines))
