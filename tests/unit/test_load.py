"""The bytes that `fanwire load` sends and reads: offers, answers, RTP of its own, and the clip that it publishes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from fanwire.control.load.answer import Answer, AnswerError
from fanwire.control.load.clip import ClipError, Track
from fanwire.control.load.offer import Sources, offer_to_publish, offer_to_watch
from fanwire.control.load.open_clip import open_clip
from fanwire.control.load.packets import MOST_PAYLOAD_BYTES, Packetizer, ntp
from fanwire.control.load.report import percentile
from fanwire.control.media.engine import Codec, Encoding, Extension, Kind
from fanwire.control.session.bundle import LocalTransport, remote_transport
from fanwire.control.session.negotiate import agree, agree_publish
from fanwire.control.session.sdp import parse
from fanwire.fastpath.testing import probes

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
CLIENT = LocalTransport("client01", "c" * 24, FINGERPRINT, ("candidate:1 1 udp 1 127.0.0.1 5000 typ host",))
SERVER_CANDIDATES = (
    "candidate:1 1 udp 100 192.0.2.1 7000 typ host",
    "candidate:2 1 udp 300 192.0.2.2 7000 typ host",
    "candidate:3 1 UDP 200 2001:db8::1 7001 typ srflx raddr 0.0.0.0 rport 0",
    "candidate:4 1 tcp 900 192.0.2.1 7000 typ host tcptype passive",
    "candidate:5 2 udp 900 192.0.2.1 7009 typ host",
    "candidate:6 1 udp 900 a-name.local 7000 typ host",
)
SERVER = LocalTransport("server01", "s" * 24, FINGERPRINT, SERVER_CANDIDATES)


def answer_to_viewer() -> str:
    published = agree_publish(parse(offer_to_publish(CLIENT, Sources.make()))).answer(SERVER, session_id=1)
    ssrcs = iter(range(1000, 2000))
    offer = parse(offer_to_watch(CLIENT))
    return (
        agree(offer, published.producers)
        .answer(
            SERVER,
            stream="s",
            cname="c",
            ssrc_factory=lambda: next(ssrcs),
            session_id=1,
        )
        .sdp
    )


def test_the_servers_own_answer_to_a_viewer_is_understood() -> None:
    answer = Answer.read(answer_to_viewer())
    assert (answer.remote.ice_ufrag, answer.remote.ice_pwd) == ("server01", "s" * 24)
    assert answer.remote.dtls_client  # the server is passive, so the client is active
    assert answer.addresses == (("192.0.2.2", 7000), ("2001:db8::1", 7001), ("192.0.2.1", 7000))
    producers = {spec.kind: spec for spec in answer.producers()}
    video = producers[Kind.VIDEO]
    assert video.payload_types[0].codec is Codec.VP8
    assert {pt.codec for pt in video.payload_types} == {Codec.VP8, Codec.VP9, Codec.H264, Codec.AV1}
    assert all(pt.rtx_pt == pt.pt + 1 and pt.nack and pt.pli and pt.transport_cc for pt in video.payload_types)
    assert len({(pt.codec, pt.format) for pt in video.payload_types}) == len(video.payload_types)
    assert set(video.extensions) == {
        Extension.MID,
        Extension.ABS_SEND_TIME,
        Extension.TRANSPORT_CC,
        Extension.ABS_CAPTURE_TIME,
    }
    (encoding,) = video.encodings
    assert encoding.ssrc >= 1000
    assert encoding.rtx_ssrc == encoding.ssrc + 1
    assert producers[Kind.AUDIO].payload_types[0].codec is Codec.OPUS


def test_the_servers_own_answer_to_a_publisher_is_understood() -> None:
    sources = Sources.make()
    offer = parse(offer_to_publish(CLIENT, sources))
    published = agree_publish(offer).answer(SERVER, session_id=1)
    video_in = next(spec for spec in published.producers if spec.kind is Kind.VIDEO)
    assert video_in.encodings == (Encoding("", sources.video, sources.video_rtx),)
    consumers = {spec.kind: spec for spec in Answer.read(published.sdp).consumers(sources)}
    assert (consumers[Kind.VIDEO].ssrc, consumers[Kind.VIDEO].rtx_ssrc) == (sources.video, sources.video_rtx)
    assert consumers[Kind.AUDIO].ssrc == sources.audio
    assert consumers[Kind.AUDIO].rtx_ssrc == 0
    assert Extension.ABS_CAPTURE_TIME in consumers[Kind.VIDEO].extensions
    assert consumers[Kind.VIDEO].extensions == video_in.extensions


def test_offers_let_the_server_choose_its_role() -> None:
    for offer in (offer_to_watch(CLIENT), offer_to_publish(CLIENT, Sources.make())):
        remote = remote_transport(parse(offer))
        assert (remote.setup, remote.ice_ufrag, remote.ice_pwd) == ("actpass", "client01", "c" * 24)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sdp: "hello", "line v=0"),
        (
            lambda sdp: sdp.replace("m=audio 9", "m=audio 0").replace("m=video 9", "m=video 0"),
            "neither audio nor video",
        ),
        (lambda sdp: sdp.replace("a=ice-pwd", "a=no-ice-pwd"), "ice-pwd"),
        (lambda sdp: sdp.replace("a=setup:", "a=setup:im"), "a=setup:im"),
        (lambda sdp: sdp.replace(" udp ", " tcp ").replace(" UDP ", " tcp "), "UDP candidate"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_in_words(change: Callable[[str], str], said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        Answer.read(change(answer_to_viewer()))


def test_a_large_frame_becomes_equal_packets_that_a_vp8_parser_reads() -> None:
    packetizer = Packetizer(Codec.VP8)
    keyframe = b"\x10\x00\x00\x9d\x01\x2a\x80\x02\x68\x01" + bytes(5000)
    packets = list(packetizer.packets(keyframe, 3000, 1_000.5)) + list(packetizer.packets(b"\x11" * 100, 6000, 1_001))
    headers = [probes.rtp_parse(packet) for packet in packets]
    assert all(header is not None for header in headers)
    whole = [header for header in headers if header is not None]
    payloads = [packet[header["header_len"] :] for packet, header in zip(packets, whole, strict=True)]
    assert max(map(len, payloads)) <= MOST_PAYLOAD_BYTES + 4
    assert b"".join(payload[4:] for payload in payloads[:-1]) == keyframe
    assert [header["marker"] for header in whole] == [False] * (len(whole) - 2) + [True, True]
    assert [after["seq16"] - before["seq16"] for before, after in pairwise(whole)] == [1] * (len(whole) - 1)
    assert (whole[-1]["timestamp"] - whole[0]["timestamp"]) % 2**32 == 3000
    assert packets[0][12:25] == b"\xbe\xde\0\3\x17" + ntp(1_000.5).to_bytes(8, "big")
    assert ntp(1_000.5) == (2_208_988_800 + 1_000) << 32 | 1 << 31


def test_the_test_pattern_is_whole_and_decodes() -> None:
    clip = open_clip(None)
    assert clip.video is not None
    assert clip.audio is not None
    decoder = av.CodecContext.create("vp8", "r")
    pictures = [frame for _, data in clip.video.frames for frame in decoder.decode(av.Packet(data))]
    assert len(pictures) == len(clip.video.frames)
    assert {(picture.width, picture.height) for picture in pictures} == {clip.video.size}
    keyframes = [ticks for ticks, data in clip.video.frames if data[0] & 1 == 0]
    assert keyframes[0] == 0
    assert all(after - before <= 90_000 for before, after in pairwise([*keyframes, clip.video.length]))
    assert clip.length_s == clip.video.length / 90_000 == clip.audio.length / 48_000
    assert Track.from_ivf(clip.video.to_ivf()) == clip.video


def test_a_file_becomes_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(path, "w") as container, av.open("testsrc=size=321x241:rate=10:duration=2", format="lavfi") as source:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in source.decode(video=0):
            container.mux(stream.encode(frame.reformat(320, 240, "yuv420p")))
        container.mux(stream.encode(None))
    clip = open_clip(path)
    assert clip.audio is None
    assert clip.video is not None
    assert clip.video.fourcc == b"VP80"
    assert len(clip.video.frames) == 20
    assert clip.length_s == 2


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("not a film")
    with pytest.raises(ClipError, match="text"):
        open_clip(path)
    with pytest.raises(ClipError):
        Track.from_ivf(b"DKIF")


def test_percentiles_of_few_values() -> None:
    assert percentile([], 50) is None
    assert percentile([3.0], 99) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 3.0
