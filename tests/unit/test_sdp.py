"""The SDP reader: what it takes from real offers and what it refuses."""

from __future__ import annotations

import re

import pytest

from ci.support import offers
from fanwire.control.session.description import (
    Direction,
    ExtMap,
    Media,
    Rid,
    RidRef,
    RtpMap,
    SessionDescription,
    Simulcast,
    SsrcGroup,
)
from fanwire.control.session.negotiate import remote_transport
from fanwire.control.session.sdp import MAX_CHARS, MAX_LINES, SdpError, parse

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


def audio(*attributes: str, session: tuple[str, ...] = ()) -> Media:
    """The one medium of a description with these attributes."""
    text = HEAD + "".join(f"a={line}\r\n" for line in session) + AUDIO + "".join(f"a={line}\r\n" for line in attributes)
    return parse(text).medias[0]


@pytest.mark.parametrize("name", offers.NAMES)
def test_a_captured_offer_is_the_same_after_it_is_written_and_read_again(name: str) -> None:
    description = parse(offers.text(name))
    assert description.medias
    assert parse(description.render()) == description


@pytest.mark.parametrize("name", offers.NAMES)
def test_lines_may_end_in_lf_alone(name: str) -> None:
    assert parse(offers.text(name).replace("\r\n", "\n")) == parse(offers.text(name))


def test_a_chromium_simulcast_offer_is_read_in_full() -> None:
    sound, picture = parse(offers.text("chromium-publish-vp8-simulcast")).medias
    assert (sound.kind, sound.mid, sound.direction) == ("audio", "0", Direction.SENDONLY)
    assert sound.rtpmaps[111] == RtpMap("opus", 48_000, 2)
    assert sound.fmtp[63] == "111/111"
    assert picture.feedback(96) == {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}
    assert picture.fmtp[97] == "apt=96"
    assert picture.extmaps[10] == ExtMap("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")
    assert picture.rids == [Rid(name, "send") for name in "lmh"]
    assert picture.simulcast == Simulcast(send=tuple((RidRef(name),) for name in "lmh"))
    assert all((picture.rtcp_mux, picture.rtcp_rsize, picture.extmap_allow_mixed))
    assert not picture.ssrcs


def test_a_bundle_only_medium_with_port_0_is_not_rejected() -> None:
    sound, picture = parse(offers.text("webrtcbin-publish")).medias
    assert picture.port == 0
    assert not picture.rejected
    assert sound.rtpmaps[97].encoding == "OPUS"
    assert picture.ssrc_groups == [SsrcGroup("FID", (801631092, 2348224708))]


def test_what_the_session_says_holds_for_media_that_do_not_say_otherwise() -> None:
    session = (
        "ice-ufrag:abcd",
        f"ice-pwd:{'p' * 22}",
        "fingerprint:SHA-256 aa:bb",
        "setup:active",
        "sendonly",
        "extmap-allow-mixed",
        "extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
    )
    inherited = audio(session=session)
    assert (inherited.ice_ufrag, inherited.ice_pwd, inherited.setup) == ("abcd", "p" * 22, "active")
    assert inherited.fingerprints == [("sha-256", "AA:BB")]
    assert inherited.direction is Direction.SENDONLY
    assert inherited.extmap_allow_mixed
    assert 3 in inherited.extmaps

    own = audio("fingerprint:sha-512 CC", "recvonly", "setup:passive", "ice-ufrag:efgh", session=session)
    assert own.fingerprints == [("sha-512", "CC")]
    assert (own.direction, own.setup, own.ice_ufrag) == (Direction.RECVONLY, "passive", "efgh")


def test_rids_with_alternatives_pauses_and_restrictions_are_read() -> None:
    media = audio("rid:hi send pt=96,97;max-width=1280; max-fps=30", "simulcast:recv x send hi,~mid;~lo")
    assert media.rids == [Rid("hi", "send", (96, 97), ("max-width=1280", "max-fps=30"))]
    assert media.simulcast == Simulcast(
        send=((RidRef("hi"), RidRef("mid", paused=True)), (RidRef("lo", paused=True),)), recv=((RidRef("x"),),)
    )


def test_lines_that_mean_nothing_here_are_passed_over() -> None:
    text = (
        f"{HEAD}i=a title\r\nb=AS:500\r\nz=0 0\r\n{AUDIO}c=IN IP6 4f2a.local\r\nb=TIAS:500000\r\n"
        "a=rtcp:9 IN IP4 0.0.0.0\r\na=rtcp-xr:rcvr-rtt=all\r\na=x-whatever\r\na=ptime:20\r\n"
    )
    assert parse(text).medias == [Media("audio", formats=["111"])]


MALFORMED = [
    "mid:",
    "mid:a b",
    "ice-ufrag:abc",
    "ice-ufrag:ab cd",
    "ice-pwd:short",
    "fingerprint:sha-256",
    "fingerprint:sha-256 AB:C",
    "setup:maybe",
    "rtpmap:128 opus/48000/2",
    "rtpmap:111 opus",
    "rtpmap:\u0661 opus/48000/2",
    "fmtp:111",
    "fmtp:x a=b",
    "rtcp-fb:nack",
    "extmap:3/upwards urn:x",
    "extmap:x urn:x",
    "msid:a b c",
    "ssrc:4294967296 cname:x",
    "ssrc:x cname:x",
    "ssrc-group:FID 1 x",
    "rid:h sideways",
    "rid:h send pt=200",
    "rid:h send pt=",
    "rid:a/b send",
    "simulcast:send",
    "simulcast:send a;;b",
    "simulcast:h;m;l",
]


@pytest.mark.parametrize("attribute", MALFORMED)
def test_a_malformed_attribute_is_passed_over_until_it_is_needed(attribute: str) -> None:
    media = audio("ptime:20", attribute, "rtcp-mux", f"candidate:{'x' * 100}")
    assert media == audio("rtcp-mux", f"candidate:{'x' * 100}")
    name = attribute.partition(":")[0]
    media.require(*(other.partition(":")[0] for other in MALFORMED if other.partition(":")[0] != name))
    with pytest.raises(SdpError, match=f"This line is malformed: 'a={attribute[:5]}"):
        media.require(name)


def test_a_medium_may_say_well_what_the_session_says_badly() -> None:
    session = ("ice-pwd:short", "setup:maybe")
    media = audio(f"ice-pwd:{'p' * 22}", session=session)
    assert media.ice_pwd == "p" * 22
    media.require("ice-pwd")
    with pytest.raises(SdpError, match="a=setup:maybe"):
        media.require("setup")


# Each breaks an offer of Chromium in one line: a line that is used is refused, any other changes nothing.
UNUSED = {
    "^(m=.*)$": r"\1 ",
    "^a=msid:.*": "a=msid: video",
    "^o=.*": "o=nobody",
    "^s=-": "nonsense\r\nx=unknown\r\ns=\0",
    "^a=rtcp-mux": "a=rtcp-mux \t\r\na=fmtp:96\r\na=rtcp-fb:x\r\na=ssrc:?",
    "^a=ice-options:.*": "a=candidate:\0\r\na=group:\r\na=group:LS ( )",
    "^c=.*": "c=IN\rIP4",
    "^a=rtpmap:9 .*": "a=rtpmap:9 G722\r\na=extmap:0x1 urn:x",
    "^a=msid-semantic:.*": "a=rid:\r\na=simulcast:",
    "^a=(mid|setup|ice-ufrag|ice-pwd|fingerprint|rtpmap|fmtp|rtcp-fb|extmap|ssrc):(.*)$": r"a=\1: \2",
}
USED = {
    "^m=audio 9": "m=audio",
    "^a=ice-pwd:.*": "a=ice-pwd:short",
    "^a=ice-ufrag:.*": "a=ice-ufrag:a b c d",
    "^a=fingerprint:.*": "a=fingerprint:sha-256 AB:C",
    "^a=setup:.*": "a=setup:maybe",
    "^a=mid:0": "a=mid:0 0",
    "^a=group:.*": "a=group:BUNDLE (",
}


@pytest.mark.parametrize("line", UNUSED)
def test_a_line_that_is_not_used_may_be_malformed(line: str) -> None:
    changed = re.sub(line, UNUSED[line], offers.text("chromium-publish").replace("\r\n", "\n"), flags=re.MULTILINE)
    assert changed != offers.text("chromium-publish").replace("\r\n", "\n")
    good, read = (offers.publish(text) for text in (offers.text("chromium-publish"), changed))
    assert parse(read.sdp).medias[0] == parse(good.sdp).medias[0]
    assert read.producers[1].payload_types == good.producers[1].payload_types


@pytest.mark.parametrize("line", USED)
def test_a_line_that_is_used_may_not(line: str) -> None:
    offer = re.sub(" [0-9]+ UDP", " 9 UDP", offers.text("chromium-publish"))
    with pytest.raises(SdpError, match=re.escape(USED[line][:14])):
        offers.publish(re.sub(line, USED[line], offer, flags=re.MULTILINE))


def test_a_password_of_any_visible_characters_is_taken() -> None:
    offer = offers.changed("chromium-publish", "^a=ice-pwd:.*", "a=ice-pwd:c2VydmVyK3Bhc3N3b3Jk/+8=")
    assert remote_transport(parse(offer)).ice_pwd == "c2VydmVyK3Bhc3N3b3Jk/+8="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "hello",
        "v=1\r\n",
        f"{HEAD}m=audio\r\n",
        f"{HEAD}m=audio 65536 RTP/SAVPF 0\r\n",
        f"{HEAD}m=audio 9 RTP/SAVPF\r\n",
        f"{HEAD}m=audio 9 RTP/SAVPF opus\r\n",
        f"{HEAD}m=audio 9 RTP/SAVPF 128\r\n",
        f"{HEAD}{AUDIO}a=mid:0\r\n{AUDIO}a=mid:0\r\n",
        HEAD + "a=x\r\n" * MAX_LINES,
        HEAD + "a=" + "x" * MAX_CHARS,
    ],
)
def test_a_description_that_is_none_or_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)


def test_nothing_that_holds_a_line_end_is_written() -> None:
    with pytest.raises(ValueError, match="line end"):
        SessionDescription(medias=[Media("audio", formats=["0"], msids=["a\r\na=ice-lite"])]).render()
