"""SDP properties: any text is read or refused, what is written reads alike, any offer gets an answer or a reason."""

from __future__ import annotations

import contextlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ci.support import offers
from fanwire.control.session.description import (
    Direction,
    ExtMap,
    Group,
    Media,
    Origin,
    Rid,
    RidRef,
    RtpMap,
    SessionDescription,
    Simulcast,
    SsrcGroup,
)
from fanwire.control.session.negotiate import NegotiationError
from fanwire.control.session.sdp import SdpError, parse
from fanwire.control.session.sdpfrag import Fragment, parse_fragment

TOKENS = st.text("abcXYZ019-_.!+", min_size=1, max_size=8)
WORDS = st.text("abc 019/=;:-", max_size=12).map(lambda text: f"w{text}w")
ICE = st.text("abcXYZ019+/", min_size=22, max_size=30)
NUMBERS = st.integers(0, 127)
FEEDBACK = st.lists(st.sampled_from(["nack", "nack pli", "x y z"]), min_size=1, unique=True).map(tuple)
SSRCS = st.integers(0, 0xFFFF_FFFF)
RIDS = st.text("abcXYZ019-_", min_size=1, max_size=8)
STREAMS = st.lists(st.lists(st.builds(RidRef, RIDS, st.booleans()), min_size=1, max_size=4).map(tuple), max_size=3).map(
    tuple
)

MEDIAS = st.builds(
    Media,
    kind=st.sampled_from(["audio", "video"]),
    port=st.integers(0, 65_535),
    protocol=st.sampled_from(["UDP/TLS/RTP/SAVPF", "RTP/AVP"]),
    formats=st.lists(NUMBERS.map(str), min_size=1, max_size=4, unique=True),
    mid=TOKENS,
    direction=st.sampled_from(Direction),
    ice_ufrag=ICE | st.just(""),
    ice_pwd=ICE | st.just(""),
    fingerprints=st.lists(
        st.tuples(st.sampled_from(["sha-256", "sha-1"]), st.sampled_from(["AB", "00:FF"])), max_size=4
    ),
    setup=st.sampled_from(["", "actpass", "active", "passive", "holdconn"]),
    candidates=st.lists(WORDS.map(lambda text: f"candidate:{text}"), max_size=3),
    end_of_candidates=st.booleans(),
    bundle_only=st.booleans(),
    rtcp_mux=st.booleans(),
    rtcp_rsize=st.booleans(),
    rtpmaps=st.dictionaries(NUMBERS, st.builds(RtpMap, TOKENS, st.integers(0, 10**9 - 1), st.integers(1, 999))),
    fmtp=st.dictionaries(NUMBERS, WORDS),
    rtcp_fb=st.dictionaries(st.none() | NUMBERS, FEEDBACK),
    extmap_allow_mixed=st.booleans(),
    extmaps=st.dictionaries(
        st.integers(0, 4351), st.builds(ExtMap, TOKENS, st.none() | st.sampled_from(Direction)), max_size=4
    ),
    msids=st.lists(TOKENS | st.tuples(TOKENS, TOKENS).map(" ".join), max_size=2),
    ssrcs=st.dictionaries(SSRCS, st.dictionaries(st.sampled_from(["cname", "msid"]), WORDS, min_size=1), max_size=3),
    ssrc_groups=st.lists(st.builds(SsrcGroup, TOKENS, st.lists(SSRCS, max_size=3).map(tuple)), max_size=2),
    rids=st.lists(
        st.builds(
            Rid,
            RIDS,
            st.sampled_from(["send", "recv"]),
            st.lists(NUMBERS, max_size=2).map(tuple),
            st.lists(st.sampled_from(["max-width=640", "max-fps=30"]), max_size=2).map(tuple),
        ),
        max_size=3,
        unique_by=lambda rid: rid.id,
    ),
    simulcast=st.none() | st.builds(Simulcast, STREAMS, STREAMS).filter(lambda both: bool(both.send or both.recv)),
)
DESCRIPTIONS = st.builds(
    SessionDescription,
    st.builds(Origin, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), TOKENS),
    st.lists(st.builds(Group, TOKENS, st.lists(TOKENS, max_size=3).map(tuple)), max_size=2),
    st.booleans(),
    st.lists(MEDIAS, max_size=3, unique_by=lambda media: media.mid),
)
FRAGMENTS = st.builds(
    Fragment,
    ice_ufrag=ICE,
    ice_pwd=ICE,
    candidates=st.lists(WORDS.map(lambda text: f"candidate:{text}")).map(tuple),
    end_of_candidates=st.booleans(),
    mids=st.lists(TOKENS, max_size=3).map(tuple),
    ice_lite=st.booleans(),
)


@st.composite
def damaged_offers(draw: st.DrawFn) -> str:
    """A captured offer with some of its lines lost, repeated, moved or changed in one character."""
    lines = offers.text(draw(st.sampled_from(offers.NAMES))).split("\r\n")
    rng = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 6))):
        index = rng.randrange(len(lines))
        line = lines[index] or "a="
        position = rng.randrange(len(line))
        changes = [
            [],
            [line, line],
            [line[:position] + rng.choice(" :/;=~09aZ\t\r\0²\u2028") + line[position + 1 :]],
            [line[:position] + line[position + 1 :]],
            [rng.choice(lines)],
        ]
        lines[index : index + 1] = rng.choice(changes)
    return "\r\n".join(lines)


@given(st.text() | st.lists(st.text("vosmabcit=:/ ;~019\r\n"), max_size=30).map("\n".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse, parse_fragment):
        with contextlib.suppress(SdpError):
            read(text)


@settings(max_examples=40)
@given(DESCRIPTIONS)
def test_what_is_written_reads_as_it_was(description: SessionDescription) -> None:
    assert parse(description.render()) == description


@given(FRAGMENTS)
def test_a_fragment_that_is_written_reads_as_it_was(fragment: Fragment) -> None:
    assert parse_fragment(fragment.render()) == fragment


@given(damaged_offers())
def test_any_offer_gets_an_answer_to_each_of_its_media_or_a_reason(offer: str) -> None:
    try:
        asked = parse(offer)
    except SdpError:
        return
    assert parse(asked.render()) == asked
    for join in (offers.publish, offers.subscribe):
        try:
            answer = parse(join(offer).sdp)
        except (NegotiationError, SdpError):
            continue
        assert [(media.kind, media.mid, media.protocol) for media in answer.medias] == [
            (media.kind, media.mid, media.protocol) for media in asked.medias
        ]
        assert any(not media.rejected for media in answer.medias)
        for theirs, ours in zip(asked.medias, answer.medias, strict=True):
            assert set(ours.formats) <= set(theirs.formats)
            assert ours.rejected or (set(ours.extmaps) <= set(theirs.extmaps) and not theirs.rejected)
