"""Answers to viewers: what the server will send them, and how a publisher's payload types become theirs."""

from __future__ import annotations

import pytest

from ci.support import offers
from fanwire.control.media.engine import Codec, Extension, Kind, ProducerSpec
from fanwire.control.session.description import Direction, Group, SsrcGroup
from fanwire.control.session.negotiate import NegotiationError, match_payload_types
from fanwire.control.session.sdp import parse

NOT_FOR_VIEWERS = {Extension.RID, Extension.REPAIRED_RID, Extension.LAYERS_ALLOCATION, Extension.VIDEO_TIMING}


def sources(name: str) -> tuple[ProducerSpec, ...]:
    """The media of a captured publisher."""
    return offers.publish(offers.text(name)).producers


@pytest.mark.parametrize("name", offers.VIEWERS)
def test_an_answer_sends_one_named_track_for_each_medium(name: str) -> None:
    subscribed = offers.subscribe(offers.text(name), sources("chromium-publish"))
    answer = parse(subscribed.sdp)
    sound, picture = answer.medias
    assert answer.ice_lite
    assert answer.groups == [Group("BUNDLE", (sound.mid, picture.mid))]
    assert not subscribed.dtls_client
    assert [media.setup for media in answer.medias] == ["passive"] * 2
    assert [media.direction for media in answer.medias] == [Direction.SENDONLY] * 2
    assert (sound.msids, picture.msids) == (["room room-audio"], ["room room-video"])
    assert list(sound.ssrcs) == [1000]
    assert not sound.ssrc_groups
    assert picture.ssrcs == {ssrc: {"cname": "fanwire", "msid": "room room-video"} for ssrc in (1001, 1002)}
    assert picture.ssrc_groups == [SsrcGroup("FID", (1001, 1002))]
    assert [(one.mid, one.kind, one.ssrc, one.rtx_ssrc, one.cname) for one in subscribed.consumers] == [
        (sound.mid, Kind.AUDIO, 1000, 0, "fanwire"),
        (picture.mid, Kind.VIDEO, 1001, 1002, "fanwire"),
    ]
    for media, consumer in zip(answer.medias, subscribed.consumers, strict=True):
        assert set(media.extmaps) == set(consumer.extensions.values())
        assert NOT_FOR_VIEWERS.isdisjoint(consumer.extensions)
        assert consumer.mixed_extensions is media.extmap_allow_mixed
        assert consumer.reduced_size_rtcp is media.rtcp_rsize


def test_the_publishers_formats_come_first_and_all_others_stay() -> None:
    consumer = offers.subscribe(offers.text("chromium-subscribe"), sources("chromium-publish-vp9-svc")).consumers[1]
    assert (consumer.payload_types[0].codec, consumer.payload_types[0].format) == (Codec.VP9, "0")
    alone = offers.subscribe(offers.text("chromium-subscribe")).consumers[1]
    assert alone.payload_types[0].codec is Codec.VP8
    assert set(alone.payload_types) == set(consumer.payload_types)


def test_media_that_nobody_publishes_yet_is_accepted_all_the_same() -> None:
    assert len(offers.subscribe(offers.text("firefox-subscribe")).consumers) == 2
    only_sound = sources("chromium-publish")[:1]
    assert len(offers.subscribe(offers.text("firefox-subscribe"), only_sound).consumers) == 2


def test_a_viewer_that_sends_as_well_only_receives() -> None:
    offer = offers.changed("chromium-subscribe", "^a=recvonly", "a=sendrecv")
    assert [media.direction for media in parse(offers.subscribe(offer).sdp).medias] == [Direction.SENDONLY] * 2


def test_extensions_keep_to_the_direction_that_the_viewer_offers() -> None:
    subscribed = offers.subscribe(offers.text("firefox-subscribe"))
    sound = parse(subscribed.sdp).medias[0]
    assert sound.extmaps[2].direction is Direction.SENDONLY  # offered with /recvonly
    assert subscribed.consumers[1].extensions[Extension.PLAYOUT_DELAY] == 6
    assert Extension.DEPENDENCY_DESCRIPTOR not in subscribed.consumers[1].extensions  # offered with /sendonly


@pytest.mark.parametrize(
    ("ids", "mixed", "taken"),
    [
        ("14", True, 14),
        ("14", False, 14),
        ("16", True, 16),
        ("16", False, None),
        ("15", True, None),
        ("256", True, None),
    ],
)
def test_ids_that_need_the_two_byte_form_are_taken_from_viewers_that_mix_both(
    ids: str, mixed: bool, taken: int | None
) -> None:
    offer = offers.changed("chromium-subscribe", "^a=extmap:4 ", f"a=extmap:{ids} ").replace(
        "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n", ""
    )
    if not mixed:
        offer = offer.replace("a=extmap-allow-mixed\r\n", "")
    assert offers.subscribe(offer).consumers[0].extensions.get(Extension.MID) == taken


def test_no_rtx_is_promised_to_a_viewer_that_cannot_ask_for_it() -> None:
    offer = offers.changed("chromium-subscribe", "^a=rtcp-fb:[0-9]+ nack\r\n", "")
    consumer = offers.subscribe(offer).consumers[1]
    assert consumer.rtx_ssrc == 0


def test_video_that_the_viewer_cannot_play_is_refused_with_both_sides_named() -> None:
    offer = offers.changed("firefox-subscribe", "VP8/90000", "VP7/90000")
    with pytest.raises(NegotiationError, match=r"publisher sends VP8, .* receive only VP9, AV1"):
        offers.subscribe(offer, sources("chromium-publish"))
    with pytest.raises(NegotiationError, match="publisher sends H264 baseline/1"):
        offers.subscribe(offers.text("firefox-subscribe"), sources("ffmpeg-publish"))


def test_an_offer_to_watch_must_receive() -> None:
    with pytest.raises(NegotiationError, match="recvonly"):
        offers.subscribe(offers.text("chromium-publish"))


def test_a_viewers_numbers_take_the_place_of_the_publishers_where_the_formats_are_alike() -> None:
    sound, picture = sources("chromium-publish")
    chromium, firefox = (
        offers.subscribe(offers.text(f"{name}-subscribe"), (sound, picture)).consumers
        for name in ("chromium", "firefox")
    )
    assert match_payload_types(sound, chromium[0]) == ((111, 111), (63, 63))
    assert match_payload_types(sound, firefox[0]) == ((111, 109), (63, 109))
    assert match_payload_types(picture, firefox[1]) == ((96, 120), (45, 99), (98, 121))
    mapped = dict(match_payload_types(picture, chromium[1]))
    assert set(mapped) == {one.pt for one in picture.payload_types}
    for one in picture.payload_types:
        theirs = next(other for other in chromium[1].payload_types if other.pt == mapped[one.pt])
        assert (theirs.codec, theirs.format) == (one.codec, one.format)


def test_h264_baseline_from_ffmpeg_plays_at_aiortc_in_its_own_number() -> None:
    h264 = sources("ffmpeg-publish")[1]
    consumer = offers.subscribe(offers.text("aiortc-subscribe"), [h264]).consumers[1]
    assert match_payload_types(h264, consumer) == ((106, consumer.payload_types[0].pt),)
    assert consumer.payload_types[0].codec is Codec.H264


def test_red_is_forwarded_whatever_the_numbers_in_its_blocks() -> None:
    offer = offers.changed("chromium-subscribe", "111", "125")
    sound = sources("chromium-publish")[0]
    assert match_payload_types(sound, offers.subscribe(offer, [sound]).consumers[0]) == ((111, 125), (63, 63))


def test_red_goes_to_a_viewer_without_it_as_opus() -> None:
    sound = sources("chromium-publish")[0]
    offer = offers.changed("chromium-subscribe", "red/48000/2", "unknown/48000/2")
    assert match_payload_types(sound, offers.subscribe(offer, [sound]).consumers[0]) == ((111, 111), (63, 111))
