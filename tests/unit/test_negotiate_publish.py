"""Answers to publishers: what the server takes of real offers, and the reasons where it takes nothing."""

from __future__ import annotations

import re

import pytest

from ci.support import offers
from fanwire.control.media.engine import Codec, Encoding, Extension, Kind, ProducerSpec
from fanwire.control.session.description import Direction, Group, RidRef, SessionDescription, Simulcast
from fanwire.control.session.negotiate import NegotiationError, Published, remote_transport
from fanwire.control.session.sdp import parse


def video(published: Published) -> ProducerSpec:
    return next(producer for producer in published.producers if producer.kind is Kind.VIDEO)


def answered(published: Published) -> SessionDescription:
    return parse(published.sdp)


@pytest.mark.parametrize("name", offers.PUBLISHERS)
def test_an_answer_receives_on_one_bundled_ice_lite_transport(name: str) -> None:
    offer, published = parse(offers.text(name)), offers.publish(offers.text(name))
    answer = answered(published)
    assert answer.ice_lite
    assert answer.origin.session_id == 7
    accepted = [media for media in answer.medias if not media.rejected]
    assert answer.groups == [Group("BUNDLE", tuple(media.mid for media in accepted))]
    assert [media.mid for media in accepted] == [producer.mid for producer in published.producers]
    for media in accepted:
        assert media.direction is Direction.RECVONLY
        assert media.rtcp_mux
        assert (media.ice_ufrag, media.ice_pwd) == (offers.LOCAL.ice_ufrag, offers.LOCAL.ice_pwd)
        assert media.fingerprints == [("sha-256", offers.LOCAL.fingerprint.split()[1])]
        assert media.setup == ("active" if offer.medias[0].setup == "passive" else "passive")
        assert published.dtls_client is (media.setup == "active")
    assert accepted[0].candidates == list(offers.LOCAL.candidates)
    assert accepted[0].end_of_candidates


@pytest.mark.parametrize("name", offers.PUBLISHERS)
def test_only_what_can_be_forwarded_is_accepted_in_the_offers_order(name: str) -> None:
    offer, answer = parse(offers.text(name)), answered(offers.publish(offers.text(name)))
    known = {"opus", "red", "vp8", "vp9", "h264", "h265", "av1", "rtx"}
    for asked, got in zip(offer.medias, answer.medias, strict=True):
        if got.rejected:
            continue
        assert {rtpmap.encoding.lower() for rtpmap in got.rtpmaps.values()} <= known
        primary = [pt for pt in got.payload_types if got.rtpmaps[pt].encoding != "rtx"]
        assert primary == [pt for pt in asked.payload_types if pt in primary]
        for pt in got.payload_types:
            assert got.rtpmaps[pt] == asked.rtpmaps[pt]
            assert got.feedback(pt) <= asked.feedback(pt)


def test_a_chromium_camera_is_taken_with_every_codec_and_its_rtx() -> None:
    sound, picture = offers.publish(offers.text("chromium-publish")).producers
    assert [(one.pt, one.codec, one.format) for one in sound.payload_types] == [
        (111, Codec.OPUS, ""),
        (63, Codec.RED, ""),
    ]
    assert [(one.pt, one.rtx_pt, one.codec, one.format) for one in picture.payload_types] == [
        (96, 97, Codec.VP8, ""),
        (102, 103, Codec.H264, "baseline/1"),
        (104, 107, Codec.H264, "baseline/0"),
        (108, 109, Codec.H264, "baseline/1"),
        (114, 115, Codec.H264, "baseline/0"),
        (116, 117, Codec.H264, "main/1"),
        (39, 40, Codec.H264, "main/0"),
        (45, 46, Codec.AV1, "0"),
        (98, 99, Codec.VP9, "0"),
        (100, 101, Codec.VP9, "2"),
    ]
    assert all(one.nack and one.pli and one.fir and one.transport_cc and not one.remb for one in picture.payload_types)
    assert picture.encodings == (Encoding("", 1003584183, 1432518875),)
    assert picture.reduced_size_rtcp


def test_vp8_simulcast_is_taken_by_rid_without_the_dependency_descriptor() -> None:
    published = offers.publish(offers.text("chromium-publish-vp8-simulcast"))
    picture, answer = video(published), answered(published).medias[1]
    assert picture.encodings == (Encoding("l"), Encoding("m"), Encoding("h"))
    assert [(rid.id, rid.direction) for rid in answer.rids] == [("l", "recv"), ("m", "recv"), ("h", "recv")]
    assert answer.simulcast == Simulcast(recv=tuple((RidRef(name),) for name in "lmh"))
    assert picture.extensions == {
        Extension.MID: 4,
        Extension.RID: 10,
        Extension.REPAIRED_RID: 11,
        Extension.ABS_SEND_TIME: 2,
        Extension.TRANSPORT_CC: 3,
        Extension.VIDEO_ORIENTATION: 13,
        Extension.PLAYOUT_DELAY: 5,
        Extension.VIDEO_CONTENT_TYPE: 6,
        Extension.COLOR_SPACE: 8,
        Extension.LAYERS_ALLOCATION: 9,
    }
    assert set(answer.extmaps) == set(picture.extensions.values())
    assert answer.extmap_allow_mixed


def test_the_dependency_descriptor_is_taken_from_who_prefers_vp9() -> None:
    picture = video(offers.publish(offers.text("chromium-publish-vp9-svc")))
    assert picture.payload_types[0].codec is Codec.VP9
    assert picture.extensions[Extension.DEPENDENCY_DESCRIPTOR] == 12


def test_the_dependency_descriptor_is_taken_from_who_prefers_h264() -> None:
    offer = offers.text("chromium-publish-vp9-svc")
    lines = offer.replace("\r\n", "\n").split("\n")
    h264 = next(line for line in lines if line.startswith("a=rtpmap:") and "H264/90000" in line)[9:].split()[0]
    place = next(place for place, line in enumerate(lines) if line.startswith("m=video"))
    head, formats = lines[place].split(" ")[:3], lines[place].split(" ")[3:]
    lines[place] = " ".join([*head, h264, *(pt for pt in formats if pt != h264)])
    picture = video(offers.publish("\r\n".join(lines)))
    assert picture.payload_types[0].codec is Codec.H264
    assert picture.extensions[Extension.DEPENDENCY_DESCRIPTOR] == 12


def test_firefox_simulcast_is_taken_by_rid_though_it_names_ssrcs_and_extensions_keep_their_direction() -> None:
    published = offers.publish(offers.text("firefox-publish-vp8-simulcast"))
    assert video(published).encodings == (Encoding("l"), Encoding("m"), Encoding("h"))
    sound, picture = answered(published).medias
    assert 2 not in sound.extmaps
    assert 6 not in picture.extmaps
    assert picture.extmaps[9].direction is Direction.RECVONLY  # offered with /sendonly
    assert picture.extmaps[3].direction is None


def test_paused_and_alternative_streams_are_answered_and_those_beyond_four_are_not() -> None:
    offer = offers.changed("chromium-publish-vp8-simulcast", "^a=simulcast:.*", "a=simulcast:send ~l;x,m;h;a;b")
    offer = offer.replace("a=rid:l send", "a=rid:l send pt=96\r\na=rid:a send max-fps=5\r\na=rid:b send")
    published = offers.publish(offer)
    assert [encoding.rid for encoding in video(published).encodings] == ["l", "m", "h", "a"]
    answer = answered(published).medias[1]
    assert answer.simulcast == Simulcast(
        recv=((RidRef("l", paused=True),), (RidRef("m"),), (RidRef("h"),), (RidRef("a"),))
    )
    assert answer.rids[0].payload_types == (96,)
    assert answer.rids[3].restrictions == ("max-fps=5",)


def test_simulcast_by_ssrc_group_is_taken_with_its_rtx() -> None:
    offer = offers.changed("chromium-publish", "^a=ssrc-group:FID .*", "a=ssrc-group:SIM 5 6\r\na=ssrc-group:FID 5 7")
    assert video(offers.publish(offer)).encodings == (Encoding("", 5, 7), Encoding("", 6, 0))


def test_a_data_channel_and_media_that_do_not_flow_are_rejected_and_left_out_of_the_bundle() -> None:
    offer = offers.text("chromium-publish-two-cameras-datachannel")
    second = offer.rindex("a=sendonly")
    published = offers.publish(f"{offer[:second]}a=inactive{offer[second + len('a=sendonly') :]}")
    assert [(media.kind, media.rejected) for media in answered(published).medias] == [
        ("audio", False),
        ("video", False),
        ("video", True),
        ("application", True),
    ]
    assert answered(published).bundle() == ("0", "1")


def test_a_second_camera_is_refused_rather_than_left_out() -> None:
    with pytest.raises(NegotiationError, match="more than one video"):
        offers.publish(offers.text("chromium-publish-two-cameras-datachannel"))


def test_ffmpeg_is_answered_as_dtls_client_and_identified_by_ssrc() -> None:
    published = offers.publish(offers.text("ffmpeg-publish"))
    assert published.dtls_client
    sound, picture = published.producers
    assert (sound.encodings, sound.extensions) == ((Encoding("", 2595018499),), {})
    assert picture.encodings == (Encoding("", 2595018500, 2595018501),)
    assert picture.payload_types[0].format == "baseline/1"


def test_remb_is_agreed_upon_only_without_transport_wide_feedback() -> None:
    (_, aiortc), (_, webrtcbin) = (
        offers.publish(offers.text(f"{who}-publish")).producers for who in ("aiortc", "webrtcbin")
    )
    assert aiortc.payload_types[0].remb
    assert not aiortc.payload_types[0].transport_cc
    assert not webrtcbin.payload_types[0].transport_cc  # it offers the feedback without the header extension


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        ("opus/48000/2", "PCMU/8000", r"sends audio PCMU\. The server forwards: audio Opus"),
        ("opus/48000/2", "mpeg4-generic/48000/2", r"audio mpeg4-generic\."),
        (
            "profile-level-id=[0-9a-f]+",
            "profile-level-id=6e0028",
            r"video H264 \(.*profile-level-id=6e0028\).* VP8, VP9",
        ),
    ],
)
def test_one_medium_that_cannot_be_taken_refuses_the_offer_of_a_publisher_and_not_of_a_viewer(
    pattern: str, replacement: str, reason: str
) -> None:
    offer = offers.changed("ffmpeg-publish", pattern, replacement)
    with pytest.raises(NegotiationError, match=reason):
        offers.publish(offer)
    watched = offers.subscribe(re.sub("a=sendonly", "a=recvonly", offer))
    assert sorted(media.rejected for media in parse(watched.sdp).medias) == [False, True]


def test_one_medium_needs_neither_mid_nor_bundle() -> None:
    offer = offers.changed("chromium-publish-screen", "^a=(group|mid|extmap:9) ?.*\r\n", "")
    published = offers.publish(offer)
    assert published.producers[0].mid == ""
    assert Extension.MID not in published.producers[0].extensions
    assert "a=mid" not in published.sdp
    assert "a=group" not in published.sdp


@pytest.mark.parametrize(
    ("h264", "form"),
    [
        ("profile-level-id=42e01f;packetization-mode=1", "baseline/1"),
        ("profile-level-id=42C02A;packetization-mode=1", "baseline/1"),
        ("packetization-mode=1;profile-level-id=420010", "baseline/1"),
        ("profile-level-id=4d801f", "baseline/0"),
        ("profile-level-id=4d001f;packetization-mode=1", "main/1"),
        ("profile-level-id=640032;packetization-mode=0", "high/0"),
        ("profile-level-id=640c1f;packetization-mode=1", "constrained-high/1"),
        ("Packetization-Mode=1", "baseline/1"),
        ("", "baseline/0"),
    ],
)
def test_h264_formats_differ_by_profile_and_packetization_mode_and_not_by_level(h264: str, form: str) -> None:
    published = offers.publish(offers.changed("ffmpeg-publish", "^a=fmtp:106 .*", f"a=fmtp:106 {h264}"))
    assert [one.format for producer in published.producers[1:] for one in producer.payload_types] == [form]


@pytest.mark.parametrize(
    "h264",
    [
        "profile-level-id=42e01f;packetization-mode=2",
        "profile-level-id=42e0;packetization-mode=1",
        "profile-level-id=ff001f;packetization-mode=1",
    ],
)
def test_h264_that_cannot_be_forwarded_is_refused(h264: str) -> None:
    with pytest.raises(NegotiationError, match=re.escape(h264)):
        offers.publish(offers.changed("ffmpeg-publish", "^a=fmtp:106 .*", f"a=fmtp:106 {h264}"))


@pytest.mark.parametrize(
    ("rtpmap", "offered", "answered_with"),
    [
        (
            "H264/90000",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e02a;sprop-parameter-sets=Z0,aM4=;max-fs=99",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e02a",
        ),
        ("VP8/90000", "max-fs=12288;max-fr=60", None),
        ("VP9/90000", "max-fs=12288; profile-id=2 ;max-fr=60", "profile-id=2"),
        ("AV1/90000", "level-idx=5;profile=0;tier=0;x-google-max-bitrate=9", "level-idx=5;profile=0;tier=0"),
        ("H265/90000", "level-id=93;tx-mode=SRST;max-dpb=6;sprop-vps=AA==", "level-id=93;tx-mode=SRST"),
    ],
)
def test_an_answer_repeats_what_tells_formats_apart_and_nothing_that_is_the_publishers_own(
    rtpmap: str, offered: str, answered_with: str | None
) -> None:
    offer = offers.changed("ffmpeg-publish", "^a=fmtp:106 .*", f"a=fmtp:106 {offered}").replace("H264/90000", rtpmap)
    assert answered(offers.publish(offer)).medias[1].fmtp.get(106) == answered_with


OPUS = "minptime=10;useinbandfec=1"


@pytest.mark.parametrize(
    ("offered", "answered_with"),
    [
        (OPUS, f"{OPUS};stereo=1"),
        (f"{OPUS};stereo=0;sprop-stereo=1", f"{OPUS};stereo=1"),
        (f"{OPUS};stereo=1;sprop-stereo=0", OPUS),
        ("usedtx=1;maxplaybackrate=8000;maxaveragebitrate=9000;cbr=1;useinbandfec=0", f"{OPUS};stereo=1"),
    ],
)
def test_the_server_says_its_own_of_opus(offered: str, answered_with: str) -> None:
    offer = offers.changed("chromium-publish", "^a=fmtp:111 .*", f"a=fmtp:111 {offered}")
    assert answered(offers.publish(offer)).medias[0].fmtp[111] == answered_with
    viewer = offers.changed("chromium-subscribe", "^a=fmtp:111 .*", f"a=fmtp:111 {offered}")
    assert parse(offers.subscribe(viewer).sdp).medias[0].fmtp[111] == f"{OPUS};sprop-stereo=1"


@pytest.mark.parametrize("name", offers.PUBLISHERS)
def test_an_answer_has_no_feedback_but_what_the_server_sends(name: str) -> None:
    strange = "a=rtcp-mux\r\na=rtcp-fb:* ack rpsi\r\na=rtcp-fb:* nack sli\r\na=rtcp-fb:* trr-int 100"
    answer = answered(offers.publish(offers.changed(name, "^a=rtcp-mux", strange)))
    said = {value for media in answer.medias for values in media.rtcp_fb.values() for value in values}
    assert said <= {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}


def test_red_that_holds_anything_but_offered_opus_is_not_taken() -> None:
    sound = offers.publish(offers.changed("chromium-publish", "a=fmtp:63 111/111", "a=fmtp:63 111/0")).producers[0]
    assert [one.codec for one in sound.payload_types] == [Codec.OPUS]


def test_the_remote_transport_is_that_of_the_bundles_first_medium() -> None:
    remote = remote_transport(parse(offers.text("firefox-publish")))
    first = parse(offers.text("firefox-publish")).medias[0]
    assert (remote.ice_ufrag, remote.ice_pwd, remote.setup) == (first.ice_ufrag, first.ice_pwd, "actpass")
    assert remote.fingerprints == tuple(first.fingerprints)
    assert not remote.dtls_client


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        ("^a=sendonly", "a=recvonly", "sendonly"),
        ("^a=sendonly", "a=inactive", "sendonly"),
        ("^a=group:BUNDLE.*\r\n", "", "BUNDLE"),
        ("^a=group:BUNDLE.*", "a=group:BUNDLE 0", "BUNDLE"),
        ("^a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("^a=ice-ufrag:.*\r\n", "", "ice-ufrag"),
        ("^a=ice-pwd:.*\r\n", "", "ice-pwd"),
        ("^a=fingerprint:.*\r\n", "", "fingerprint"),
        ("^a=fingerprint:sha-256", "a=fingerprint:sha-1", "sha-256"),
        ("^a=setup:.*", "a=setup:holdconn", "actpass"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "RTP/AVP"),
        ("^s=-", "s=-\r\na=ice-lite", "ICE-lite"),
        ("^m=(audio|video) [0-9]+", r"m=\1 0", "neither audio nor video"),
        ("^m=(audio|video)", "m=text", "neither audio nor video"),
        ("(a=mid:|BUNDLE )0", r"\g<1>01234567890123456", "longer than 16"),
        ("^a=rtpmap:.*\r\n", "", "without a known codec"),
    ],
)
def test_an_offer_that_cannot_be_answered_is_refused_with_its_reason(
    pattern: str, replacement: str, reason: str
) -> None:
    offer = offers.changed("chromium-publish", pattern, replacement)
    with pytest.raises(NegotiationError, match=reason):
        offers.publish(offer)


def test_the_reason_for_no_common_codec_names_both_sides() -> None:
    offer = offers.changed("ffmpeg-publish", "opus/48000/2", "PCMU/8000").replace("H264/90000", "theora/90000")
    with pytest.raises(NegotiationError, match=r"audio PCMU; video theora, rtx.*Opus.*VP8, VP9, H264, H265 and AV1"):
        offers.publish(offer)


def test_an_rid_too_long_for_a_header_extension_is_refused() -> None:
    offer = offers.changed("chromium-publish-vp8-simulcast", "(a=rid:|a=simulcast:send )l", r"\g<1>looooooooooooooow")
    with pytest.raises(NegotiationError, match="longer than 16"):
        offers.publish(offer)
