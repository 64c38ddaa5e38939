"""Trickle ICE fragments, as clients send them and as an ICE restart is answered."""

from __future__ import annotations

import pytest

from fanwire.control.session.sdp import SdpError, parse
from fanwire.control.session.sdpfrag import Fragment, parse_fragment

PASSWORD = "p" * 24


def test_candidates_are_read_from_below_pseudo_media_lines() -> None:
    text = (
        f"a=ice-ufrag:EsAw\r\na=ice-pwd:{PASSWORD}\r\na=group:BUNDLE 0 1\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n"
        "a=candidate:2 1 udp 1 b2a1.local 5001 typ host\r\na=end-of-candidates\r\n"
    )
    assert parse_fragment(text) == Fragment(
        "EsAw",
        PASSWORD,
        ("candidate:1 1 udp 1 192.0.2.1 5000 typ host", "candidate:2 1 udp 1 b2a1.local 5001 typ host"),
        end_of_candidates=True,
        mids=("0",),
    )


def test_credentials_may_be_below_each_medium() -> None:
    medium = "m=audio 9 RTP/AVP 0\na=mid:{}\na=ice-ufrag:EsAw\na=ice-pwd:" + PASSWORD + "\n"
    assert parse_fragment(medium.format(0) + medium.format(1)) == Fragment("EsAw", PASSWORD, mids=("0", "1"))


def test_an_answer_to_an_ice_restart_reads_as_part_of_a_description() -> None:
    fragment = Fragment("EsAw", PASSWORD, ("candidate:1 1 udp 1 192.0.2.1 5000 typ host",), True, ("0", "1"), True)
    description = parse(f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{fragment.render()}")
    assert description.ice_lite
    assert description.bundle() == ("0", "1")
    assert [media.ice_ufrag for media in description.medias] == ["EsAw", "EsAw"]
    assert description.medias[0].candidates == list(fragment.candidates)


@pytest.mark.parametrize("text", ["a=ice-ufrag:EsAw\r\n", "a=ice-ufrag:E\r\n", "a=mid:a b\r\n", "a=x\r\n" * 2_100])
def test_a_malformed_fragment_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        parse_fragment(text)
