"""Reports and feedback both ways: clocks, loss, jitter, round trips, arrivals, goodbyes."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from ci.support.scenario import publisher as publisher_module
from ci.support.scenario.packet import Packet, Tag
from ci.support.scenario.peer import NTP_1970, Peer, ntp_at
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import OPUS, VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.wiretap import extend
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import CloseTransport, Encoding, ReadStatistics, RemoveConsumer, StreamStatistics
from fanwire.fastpath.testing import probes


def call(world: World, *, up: Link | None = None, down: Link | None = None) -> tuple[Source, Viewer]:
    publisher, viewer = Publisher(world, up=up), Viewer(world, down=down)
    spec = producer(VP8, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)])
    viewer.watch(consumer(VP8, ssrc=1, rtx_ssrc=2), publisher.publish(spec), spec)
    world.run(0.2)
    return publisher.source(spec, ssrc=0x10, rtx_ssrc=0x11), viewer


def statistics(world: World, peer: Peer) -> StreamStatistics:
    """Of the only stream of a peer."""
    found = world.nodes[peer.node].sandbox.submit(ReadStatistics(peer.transport), world.now_us).statistics
    assert found is not None
    (stream,) = found.streams
    return stream


def test_what_was_captured_at_one_time_is_reported_at_one_time() -> None:
    """Lip sync: sound that takes 300 ms longer to the server still says when it was made."""
    with World(seed=5) as world:
        eyes = Publisher(world)
        ears = Publisher(world, up=Link(delay_us=310_000, jitter_us=40_000))
        video, audio = producer(VP8), producer(OPUS, mid="a")
        ids = eyes.publish(video), ears.publish(audio)
        viewer = Viewer(world)
        viewer.watch(consumer(VP8, ssrc=1), ids[0], video)
        viewer.watch(consumer(OPUS, ssrc=2), ids[1], audio)
        world.run(0.7)
        started_us = world.now_us
        eyes.source(video, ssrc=0x10, interval_us=40_000).start()
        ears.source(audio, ssrc=0x20, interval_us=20_000, packets_per_frame=1).start()
        world.run(6)
        for ssrc, interval_us in ((1, 40_000), (2, 20_000)):
            received = viewer.streams[ssrc]
            for packet in received.ordered():
                tag = Tag.find(packet.payload)
                assert tag is not None
                captured_s = NTP_1970 + (started_us + (tag.frame - 1) * interval_us) / 1e6
                assert received.wall_clock(packet) == pytest.approx(captured_s, abs=0.001)


def test_the_first_report_comes_with_the_first_packet() -> None:
    with World() as world:
        source, _ = call(world)
        source.start()
        world.run(2)
        late = Viewer(world)
        late.watch(consumer(VP8, ssrc=9), statistics(world, source.publisher).id, source.spec)
        world.run(0.3)
        received = late.streams[9]
        assert received.reports[0][0] == min(received.arrivals_us.values())


def clock_steps_s(received: Received) -> list[float]:
    """By how much each sender report moved the wall clock of a timestamp from where the one before had it."""
    hz = received.spec.payload_types[0].clock_rate_hz
    steps = []
    for (_, before), (_, after) in itertools.pairwise(received.reports):
        ticks = ((after["timestamp"] - before["timestamp"] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        steps.append((after["ntp"] - before["ntp"]) / (1 << 32) - ticks / hz)
    return steps


def lip_sync_s(video: Received, audio: Received) -> float:
    """How much later the newest reports say video was captured than audio, of frames that were captured at one time."""
    frame = max(tag.frame for tag in video.tags())
    return video.wall_clock(of_frame(video, frame)) - audio.wall_clock(of_frame(audio, frame))


def of_frame(received: Received, frame: int) -> Packet:
    return next(packet for packet in received.ordered() if (tag := Tag.find(packet.payload)) and tag.frame == frame)


@dataclasses.dataclass
class Presenter:
    """One publisher with a camera and a microphone, whose frames are captured at one time, and its viewer."""

    camera: Source
    microphone: Source
    video: Received
    audio: Received


def present(world: World) -> Presenter:
    publisher = Publisher(world, up=Link(delay_us=20_000, jitter_us=8_000))
    video, audio = producer(VP8), producer(OPUS, mid="a")
    ids = publisher.publish(video), publisher.publish(audio)
    viewer = Viewer(world)
    viewer.watch(consumer(VP8, ssrc=1), ids[0], video)
    viewer.watch(consumer(OPUS, ssrc=2), ids[1], audio)
    world.run(0.5)
    camera = publisher.source(video, ssrc=0x10, interval_us=40_000)
    microphone = publisher.source(audio, ssrc=0x20, interval_us=40_000, packets_per_frame=1)
    return Presenter(camera, microphone, viewer.streams[1], viewer.streams[2])


def test_viewers_get_reports_from_the_first_packet_on_though_the_publisher_sends_none() -> None:
    with World(seed=2) as world:
        on = present(world)
        on.camera.start(reports=False)
        on.microphone.start(reports=False)
        world.run(6)
        for received in (on.video, on.audio):
            assert received.reports[0][0] == min(received.arrivals_us.values())
            assert len(received.reports) >= 6
            assert all(abs(step) <= 0.0201 for step in clock_steps_s(received))
        assert abs(lip_sync_s(on.video, on.audio)) <= 0.01


@pytest.mark.parametrize("every_s", [1, 5], ids=["each second", "every five seconds"])
def test_reports_of_the_publisher_move_a_known_clock_by_20_ms_a_second_at_most(every_s: int) -> None:
    """The encoder of video takes 100 ms, which only the publisher's reports tell. Chromium reports sound every 5 s."""
    ticks = 100 * 90
    with World(seed=2) as world:
        on = present(world)
        on.camera.timestamp -= ticks

        def report() -> bool:
            on.camera.timestamp += ticks
            on.camera.send_report()
            on.camera.timestamp -= ticks
            on.microphone.send_report()
            return True

        on.camera.start(reports=False)
        on.microphone.start(reports=False)
        world.run(3)
        known = len(on.video.reports)
        assert lip_sync_s(on.video, on.audio) == pytest.approx(0, abs=0.01)
        world.every(every_s * 1_000_000, report)
        world.run(7 + every_s)
        for received in (on.video, on.audio):
            assert all(abs(step) <= 0.0201 for step in clock_steps_s(received))
        assert sum(clock_steps_s(on.video)[known - 1 :]) < -0.08
        assert lip_sync_s(on.video, on.audio) == pytest.approx(-0.1, abs=0.001)


@pytest.mark.parametrize("off_s", [0.3, 3600], ids=["slewed", "set at once"])
def test_an_encoding_without_reports_follows_the_clock_of_those_that_have_them(off_s: float) -> None:
    """The publisher's wall clock differs from the server's. It sends reports of sound, none of video."""
    with World(seed=2) as world, pytest.MonkeyPatch.context() as patch:
        patch.setattr(publisher_module, "ntp_at", lambda now_us: ntp_at(now_us) + round(off_s * (1 << 32)))
        on = present(world)
        on.camera.start(reports=False)
        on.microphone.start(reports=False)
        world.run(3)

        def report() -> bool:
            on.microphone.send_report()
            return True

        world.every(1_000_000, report)
        for _ in range(25):
            world.run(1)
            in_step = [len(received.reports) for received in (on.video, on.audio)]
            assert abs(in_step[0] - in_step[1]) <= 1
            assert abs(lip_sync_s(on.video, on.audio)) <= 0.05
        captured_s = ntp_at(world.now_us) / (1 << 32) + off_s
        assert on.audio.wall_clock(on.audio.ordered()[-1]) == pytest.approx(captured_s, abs=0.1)


def test_reports_count_what_this_viewer_was_sent() -> None:
    with World() as world:
        source, viewer = call(world)
        source.start()
        world.run(5)
        reports = viewer.streams[1].reports
        gaps = [after - before for (before, _), (after, _) in itertools.pairwise(reports[1:])]
        assert all(gap == 1_000_000 for gap in gaps)
        at_us, last = reports[-1]
        sent = [n for n, us in viewer.streams[1].arrivals_us.items() if us <= at_us]
        assert last["packets"] == len(sent)
        assert last["octets"] == sum(len(viewer.streams[1].packets[n].payload) for n in sent)


def test_a_publisher_is_told_its_true_loss() -> None:
    """What RTX brings is not received: the loss was real (RFC 4588 section 6.3 leaves the original's report alone)."""
    with World(seed=2) as world:
        source, _ = call(world)
        source.start()
        world.run(1.2)
        source.publisher.up.loss = 0.1
        world.run(10)
        source.publisher.up.loss = 0.0
        world.run(3)
        source.stop()
        world.run(1.1)
        blocks = [
            (at, block)
            for at, packet in source.publisher.of_type(201)
            for block in packet["blocks"]
            if block["ssrc"] == 0x10
        ]
        _, last = blocks[-1]
        originals = [key for key in source.publisher.cc_of if key[0] == 0x10]
        lost = [key for key in originals if source.publisher.cc_arrivals_us[source.publisher.cc_of[key]] is None]
        assert len(lost) > 50
        assert last["cumulative_lost"] == len(lost)
        assert last["highest_seq"] & 0xFFFF == (65_500 + len(originals) - 1) & 0xFFFF
        assert last["fraction_lost"] == 0
        assert max(block["fraction_lost"] for _, block in blocks) > 8
        assert statistics(world, source.publisher).repaired_packets >= len(lost)
        gaps = [after - before for (before, _), (after, _) in itertools.pairwise(blocks)]
        assert all(gap == 1_000_000 for gap in gaps)


def test_reports_to_a_publisher_tell_jitter_and_its_round_trip() -> None:
    with World(seed=4) as world:
        source, _ = call(world, up=Link(delay_us=30_000))
        source.publisher.down.delay_us = 20_000
        source.start()
        world.run(5)
        calm = source.publisher.of_type(201)[-1]
        source.publisher.up.jitter_us = 30_000
        world.run(5)
        shaken = source.publisher.of_type(201)[-1]
        assert calm[1]["blocks"][0]["jitter_ticks"] == 0
        assert 300 < shaken[1]["blocks"][0]["jitter_ticks"] < 2700  # of 90 a millisecond
        for at_us, packet in (calm, shaken):
            block = packet["blocks"][0]
            spent = ((ntp_at(at_us) >> 16) - block["last_sr"] - block["delay_sr"]) & 0xFFFFFFFF
            assert 0.049 <= spent / 65_536 <= 0.081  # the way up may take 30 ms longer


def test_the_round_trip_to_a_viewer_comes_from_its_reports() -> None:
    with World() as world:
        source, viewer = call(world, down=Link(delay_us=70_000))
        source.start()
        world.run(2.5)
        viewer.report(1, fraction_lost=64, lost=7, jitter_ticks=99)
        world.run(1)
        told = statistics(world, viewer)
        assert told.rtt_us == pytest.approx(80_000, abs=100)
        assert (told.lost, told.fraction_lost, told.jitter_ticks) == (7, 0.25, 99)
        # Requests within that round trip are one.
        first = min(viewer.streams[1].packets)
        for _ in range(7):
            viewer.nack(1, [first + 60])
            world.run(0.01)
        world.run(0.5)
        assert len(viewer.streams[1].rtx) == 1


@pytest.mark.parametrize("reorders", [False, True])
def test_arrivals_are_told_every_50_ms_and_are_the_truth(reorders: bool) -> None:
    with World(seed=11) as world:
        up = Link(delay_us=20_000)
        source, _ = call(world, up=up)
        source.start()
        world.run(1)
        up.loss, up.jitter_us, up.reorders = 0.08, 25_000, reorders
        world.run(8)
        up.loss = 0.0
        world.run(1)
        source.stop()
        world.run(0.2)  # for what is on its way, and the last feedback
        publisher = source.publisher
        feedback = publisher.of_type(205, 15)
        gaps = [after - before for (before, _), (after, _) in itertools.pairwise(feedback)]
        assert all(gap % 50_000 == 0 and gap <= 150_000 for gap in gaps)
        assert sum(gaps) / len(gaps) < 56_000
        counts = [packet["twcc"]["feedback_count"] for _, packet in feedback if packet["twcc"]]
        assert all((after - before) & 0xFF == 1 for before, after in itertools.pairwise(counts))
        told = told_arrivals(feedback)
        last = max(told)
        truth = {cc: us for cc, us in publisher.cc_arrivals_us.items() if cc <= last}
        assert told.keys() == truth.keys()
        assert sum(us is None for us in truth.values()) > 30
        assert {cc for cc, us in told.items() if us is None} == {cc for cc, us in truth.items() if us is None}
        assert all(us is None or us // 250 == (truth[cc] or 0) // 250 for cc, us in told.items())


def told_arrivals(feedback: list[tuple[int, probes.Rtcp]]) -> dict[int, int | None]:
    """By extended number; what was said last counts, but an arrival is not taken back."""
    told: dict[int, int | None] = {}
    highest = 65_000
    for _, packet in feedback:
        twcc = packet["twcc"]
        assert twcc is not None
        base = extend(highest, twcc["base_seq16"])
        for number, us in enumerate(twcc["arrivals_us"], base):
            told[number] = told.get(number) or us
        highest = max(highest, base + twcc["count"] - 1)
    return told


def test_goodbyes_go_both_ways() -> None:
    with World() as world:
        source, viewer = call(world)
        second = consumer(VP8, ssrc=5)
        watching = viewer.watch(second, statistics(world, source.publisher).id, source.spec)
        source.start()
        world.run(1)
        world.submit(RemoveConsumer(watching))
        world.run(0.1)
        assert (viewer.streams[5].goodbye, viewer.streams[1].goodbye) == (True, False)
        world.submit(CloseTransport(viewer.transport))
        world.submit(CloseTransport(source.publisher.transport))
        world.run(0.1)
        assert viewer.streams[1].goodbye
        assert [packet["bye"] for _, packet in source.publisher.of_type(203)] == [[0xC0DE0001]]


def test_an_encoding_that_said_goodbye_gives_way_at_once() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = producer(VP8, encodings=[Encoding("q", ssrc=0x20), Encoding("f", ssrc=0x21)])
        viewer.watch(consumer(VP8, ssrc=1), publisher.publish(spec), spec)
        world.run(0.2)
        publisher.source(spec, ssrc=0x20, label=1, size=(320, 180)).start()
        high = publisher.source(spec, ssrc=0x21, label=2).start()
        world.run(3)
        assert viewer.streams[1].tags()[-1].label == 2
        high.stop()
        high.say_goodbye()
        world.run(0.6)
        assert viewer.streams[1].tags()[-1].label == 1


def test_feedback_of_publishers_without_reduced_size_comes_behind_a_report() -> None:
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        spec = dataclasses.replace(producer(VP8), reduced_size_rtcp=False)
        viewer.watch(consumer(VP8, ssrc=1), publisher.publish(spec), spec)
        world.run(0.2)
        publisher.source(spec, ssrc=0x10).start()
        world.run(1)
        viewer.ask_keyframe(1)
        world.run(1)
        by_time = [[p["type"] for _, p in group] for _, group in itertools.groupby(publisher.feedback, lambda f: f[0])]
        assert any(206 in types for types in by_time)
        assert any(205 in types for types in by_time)
        assert all(types[:2] == [201, 202] for types in by_time)
