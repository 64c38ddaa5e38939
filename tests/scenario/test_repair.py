"""Packets that are lost, late, doubled or out of order, on the way in and on the way out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import pytest

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import FIRST_SEQ, Received, Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import Encoding, Extension, ReadStatistics
from fanwire.fastpath.testing import probes

MEDIA, RTX, SINK, SINK_RTX = 0x10, 0x11, 1, 2


def call(
    world: World, *, up: Link | None = None, down: Link | None = None, rtx: bool = True, asks: bool = True
) -> tuple[Source, Viewer, Received]:
    """A publisher with RTX and one viewer, connected, nothing sent yet."""
    publisher, viewer = Publisher(world, up=up), Viewer(world, down=down, asks=asks)
    spec = producer(VP8, encodings=[Encoding(ssrc=MEDIA, rtx_ssrc=RTX)])
    video = publisher.publish(spec)
    sink = consumer(VP8, ssrc=SINK, rtx_ssrc=SINK_RTX if rtx else 0)
    viewer.watch(sink, video, spec)
    world.run(0.2)
    return publisher.source(spec, ssrc=MEDIA, rtx_ssrc=RTX), viewer, viewer.streams[SINK]


def losing(ssrc: int, *numbers: int) -> Callable[[bytes], bool]:
    """Says yes once for each of these packets of an SSRC, counted from 0."""
    seen: dict[int, int] = {}

    def drops(data: bytes) -> bool:
        header = probes.rtp_header(data) if probes.demux(data) == "rtp" else None
        if header is None or header["ssrc"] != ssrc or header["seq16"] in seen:
            return False
        seen[header["seq16"]] = len(seen)
        return seen[header["seq16"]] in numbers

    return drops


def is_keyframe(payload: bytes) -> bool:
    frame = probes.vp8(payload)
    return frame is not None and frame["keyframe"]


def same_pieces(source: Source, received: Received) -> None:
    """The viewer has all that was sent, in its order."""
    tags = [(tag.frame, tag.index) for tag in received.tags()]
    assert tags == sorted(set(tags))
    assert len(tags) == len(source.history)


def test_what_is_lost_on_the_way_in_is_repaired_by_rtx_and_fills_its_place() -> None:
    with World() as world:
        source, _viewer, received = call(world, up=Link(drops=losing(MEDIA, 3, 4, 10, 50)), asks=False)
        source.start()
        world.run(4)
        source.stop()
        world.run(1)
        same_pieces(source, received)
        assert received.missing() == []
        assert received.rtx == []
        counters = world.counters()
        assert (counters["rtx_in"], counters["nack_out"]) == (4, 3)
        assert world.wiretap.missing == set()
        # The viewer saw them late and in the numbers that were kept free for them.
        arrivals = [received.arrivals_us[number] for number in sorted(received.arrivals_us)]
        assert arrivals != sorted(arrivals)
        assert world.drops() == {}


def test_what_is_lost_on_the_way_out_is_repaired_from_the_cache_by_rtx() -> None:
    with World() as world:
        source, viewer, received = call(world, down=Link(drops=losing(SINK, 3, 4, 10, 50)))
        source.start()
        world.run(4)
        source.stop()
        world.run(1)
        same_pieces(source, received)
        lost = [FIRST_SEQ + n for n in (3, 4, 10, 50)]
        assert sorted(received.repaired) == lost
        assert [int.from_bytes(packet.payload[:2], "big") for packet in received.rtx] == [n & 0xFFFF for n in lost]
        assert [packet.seq for packet in received.rtx] == [FIRST_SEQ + n for n in range(4)]
        assert {packet.pt for packet in received.rtx} == {107}
        numbers = [packet.extensions[5] for packet in viewer.order]
        assert len(set(numbers)) == len(numbers)
        # The publisher heard nothing of it.
        assert source.nacks == []


def test_the_same_request_within_a_round_trip_is_answered_once() -> None:
    with World() as world:
        source, viewer, received = call(world, asks=False)
        source.start()
        world.run(1)
        for _ in range(5):
            viewer.nack(SINK, [FIRST_SEQ + 5])
        world.run(0.5)
        assert len(received.rtx) == 1
        assert world.counters()["nack_repeated"] == 4
        viewer.nack(SINK, [FIRST_SEQ + 5])
        world.run(0.5)
        again, first = received.rtx[1], received.rtx[0]
        assert again.seq == first.seq + 1
        assert again.extensions[5] != first.extensions[5]
        assert again.payload == first.payload


@pytest.mark.parametrize("packets_per_frame", [2, 40])
def test_a_storm_of_nacks_on_a_lossy_link_is_answered_within_a_fifth_of_the_media(packets_per_frame: int) -> None:
    """The viewer loses a third of all packets, retransmissions too, and repeats all its NACKs every 50 ms."""
    with World(seed=5, pool_packets=16384) as world:
        source, viewer, received = call(world, down=Link(loss=0.33), asks=False)
        source.packets_per_frame = packets_per_frame

        def storm() -> bool:
            lost = [n for n in range(received.highest - 500, received.highest) if n not in received.packets]
            if received.packets and lost:
                viewer.nack(SINK, lost)
            return True

        world.every(50_000, storm)
        source.start()
        sent: Counter[str] = Counter()
        for second in range(8):
            world.run(1)
            now = Counter(world.counters())
            repairs = now["rtx_out"] - sent["rtx_out"]
            media = now["rtp_out"] - sent["rtp_out"] - repairs
            sent = now
            largest = max(len(bytes(packet)) for packet in viewer.order) + 16
            if second > 0:
                assert 0 < repairs * largest <= max(media * largest / 5, 8000) * 1.1
        assert sent["nack_over_budget"] > 0
        assert max(Counter(packet.payload[:2] for packet in received.rtx).values()) <= 3


def test_no_packet_is_retransmitted_more_than_three_times() -> None:
    with World() as world:
        source, viewer, received = call(world, asks=False)
        source.start()
        world.run(1)
        for _ in range(20):
            viewer.nack(SINK, [FIRST_SEQ + 5])
            viewer.nack(SINK, [FIRST_SEQ + 6])
            world.run(0.1)
        assert list(Counter(packet.payload[:2] for packet in received.rtx).values()) == [3, 3]
        assert world.counters()["nack_exhausted"] == 2 * 17


def test_nothing_older_than_the_newest_keyframe_sent_is_retransmitted() -> None:
    with World() as world:
        source, viewer, received = call(world, asks=False)
        source.start()
        world.run(1)
        old = received.highest
        source.keyframe_due = True
        world.run(1)
        keyframe = next(n for n in sorted(received.packets) if n > old and is_keyframe(received.packets[n].payload))
        viewer.nack(SINK, [old, keyframe - 1, keyframe, keyframe + 1])
        world.run(0.2)
        assert sorted(received.repaired) == [keyframe, keyframe + 1]
        assert world.counters()["nack_obsolete"] == 2


def test_the_nacks_of_one_viewer_cost_another_nothing() -> None:
    with World(seed=3) as world:
        publisher, viewer = Publisher(world), Viewer(world, asks=False)
        other = Viewer(world, down=Link(drops=losing(3, 40, 41, 90)))
        spec = producer(VP8)
        video = publisher.publish(spec)
        viewer.watch(consumer(VP8, ssrc=SINK, rtx_ssrc=SINK_RTX), video, spec)
        other.watch(consumer(VP8, ssrc=3, rtx_ssrc=4), video, spec)
        world.run(0.2)
        received = viewer.streams[SINK]
        publisher.source(spec, ssrc=MEDIA).start()

        def storm() -> bool:
            viewer.nack(SINK, list(range(FIRST_SEQ, max(received.highest, FIRST_SEQ + 1))))
            return True

        world.every(20_000, storm)
        world.run(4)
        assert world.counters()["nack_over_budget"] + world.counters()["nack_exhausted"] > 100
        theirs = other.streams[3]
        assert theirs.missing() == []
        assert len(theirs.repaired) == 3
        assert len(theirs.arrivals_us) == len(received.arrivals_us)


def test_nobody_gets_what_was_not_sent_to_them() -> None:
    with World() as world:
        source, viewer, received = call(world, asks=False)
        source.start()
        world.run(2)
        viewer.nack(SINK, [FIRST_SEQ - 1, FIRST_SEQ - 500, received.highest + 40, received.highest + 20_000])
        viewer.nack(SINK_RTX, [FIRST_SEQ])
        viewer.nack(0x999, [FIRST_SEQ])
        world.run(1)
        assert received.rtx == []
        assert world.counters()["nack_not_cached"] == 4


def test_where_rtx_is_not_negotiated_the_same_bytes_go_again() -> None:
    with World() as world:
        source, viewer, received = call(world, down=Link(drops=losing(SINK, 3, 4, 10, 50)), rtx=False)
        source.start()
        world.run(4)
        source.stop()
        world.run(1)
        same_pieces(source, received)  # and the wiretap has seen that each number has but one ciphertext
        counters = world.counters()
        assert (counters["plain_retransmit_out"], counters["rtx_out"]) == (4, 0)
        viewer.nack(SINK, [received.highest])
        world.run(1)
        assert viewer.replays == 1


def test_reordered_and_doubled_packets_go_out_once_each() -> None:
    with World(seed=7) as world:
        source, _viewer, received = call(world, up=Link(reorders=True), asks=False)
        again = source.publisher.send_raw

        def twice(data: bytes, path: object = None) -> None:
            again(data)
            again(data)

        source.publisher.send_raw = twice  # type: ignore[method-assign]
        source.repairs = False
        source.start()
        world.run(0.1)
        source.publisher.up.jitter_us = 30_000
        world.run(5)
        source.stop()
        world.run(1)
        same_pieces(source, received)
        counters = world.counters()
        assert counters["rtp_out"] == len(source.history)
        assert counters["drop_srtp_replayed"] == len(source.history)


def test_a_spurious_repeat_is_not_sent_again_however_old_the_original() -> None:
    """Also where the pool has been used up since, so that the packet itself is long forgotten."""
    with World(pool_packets=1024) as world:
        source, _viewer, received = call(world)
        noise = producer(VP8, mid="n", encodings=[Encoding(ssrc=0x77)])
        source.publisher.publish(noise)
        busy = source.publisher.source(noise, ssrc=0x77, packets_per_frame=60, payload_bytes=10)
        source.start()
        world.run(1)
        for seq in itertools.islice(source.history, 20):
            source.repair(seq)
        world.run(0.2)
        assert world.counters()["drop_duplicate"] == 20
        busy.start()
        world.run(2)  # 3000 packets
        for seq in itertools.islice(source.history, 20):
            source.repair(seq)
        world.run(1)
        source.stop()
        busy.stop()
        world.run(1)
        same_pieces(source, received)
        assert world.counters()["drop_duplicate"] == 40


def test_padding_is_acknowledged_and_leaves_no_gap_at_viewers() -> None:
    with World() as world:
        source, _viewer, received = call(world)
        source.start()
        for _ in range(20):
            world.run(0.1)
            source.send_payload(b"", padding=100)
            source.send_payload(b"", padding=255)
            source.probe()
        source.stop()
        world.run(1)
        assert received.missing() == []
        assert received.nacked == set()
        assert all(packet.payload for packet in received.packets.values())
        assert world.counters()["padding_in"] == 60
        told = {
            (twcc["base_seq16"] + i) & 0xFFFF
            for _, packet in source.publisher.of_type(205, 15)
            if (twcc := packet["twcc"])
            for i, us in enumerate(twcc["arrivals_us"])
            if us is not None
        }
        assert told == {number & 0xFFFF for number in source.publisher.cc_arrivals_us}


def test_a_publisher_is_asked_again_each_round_trip_and_then_given_up() -> None:
    with World() as world:
        source, _viewer, _received = call(world, up=Link(drops=losing(MEDIA, 30)), asks=False)
        source.repairs = False
        source.start()
        world.run(5)
        lost = (65_500 + 30) & 0xFFFF
        assert {seq for _, seq in source.nacks} == {lost}
        times = [at for at, _ in source.nacks]
        assert len(times) == 10
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert gaps == [125_000] * 9  # the round trip is not known: 100 ms and a quarter
        found = 30 // 3 * 40_000 + 2 * source.publisher.up.delay_us
        assert times[0] - 1_200_000 <= found + 40_000  # with the first packet after it


def test_the_round_trip_of_repairs_sets_the_pace_of_requests() -> None:
    with World() as world:
        up = Link(delay_us=15_000, drops=losing(MEDIA, *range(5, 200, 5), 400))
        source, _viewer, _received = call(world, up=up, asks=False)
        source.publisher.down.delay_us = 15_000
        source.start()
        world.run(4)
        source.repairs = False
        world.run(4)
        times = [at for at, seq in source.nacks if seq == (65_500 + 400) & 0xFFFF]
        gaps = {after - before for before, after in itertools.pairwise(times)}
        assert all(30_000 <= gap <= 45_000 for gap in gaps), gaps
        assert world.wiretap.missing == {(source.publisher.key, MEDIA, (65_500 + 400) & 0xFFFF)}


def test_more_loss_than_can_be_asked_for_brings_a_keyframe_at_once() -> None:
    with World() as world:
        source, _viewer, _received = call(world, up=Link(), asks=False)
        source.packets_per_frame = 20
        source.start()
        world.run(1)
        source.publisher.up.loss = 1.0
        world.run(0.4)
        source.publisher.up.loss = 0.0
        back_us = world.now_us
        world.run(1)
        assert source.requests_us
        assert source.requests_us[0] - back_us <= 40_000 + 2 * 10_000
        assert source.nacks == []


def test_after_a_switch_only_packets_of_the_new_encoding_are_retransmitted() -> None:
    """A switch is at a keyframe: a decoder needs nothing that was sent before."""
    rids = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world, asks=False)
        spec = producer(VP8, extensions=rids, encodings=[Encoding("q"), Encoding("f")])
        video = publisher.publish(spec)
        viewer.watch(consumer(VP8, ssrc=SINK, rtx_ssrc=SINK_RTX), video, spec)
        world.run(0.2)
        small = publisher.source(spec, ssrc=0x20, rid="q", size=(320, 180), label=1, seq=500).start()
        world.run(1)
        publisher.source(spec, ssrc=0x21, rid="f", size=(1280, 720), label=2, seq=40_000).start()
        world.run(1)
        received = viewer.streams[SINK]
        labels = [tag.label for tag in received.tags()]
        assert labels[0] == 1
        assert labels[-1] == 2
        assert small.history
        viewer.nack(SINK, [FIRST_SEQ + 2, FIRST_SEQ + 20, received.highest - 2])
        world.run(0.2)
        assert len(received.rtx) == 1
        assert world.counters()["nack_obsolete"] == 2
        for number, repaired in received.repaired.items():
            original = received.packets[number]
            assert (repaired.payload, repaired.timestamp, repaired.marker) == (
                original.payload,
                original.timestamp,
                original.marker,
            )


def test_where_the_first_keyframe_was_lost_another_is_asked_for() -> None:
    """Nothing else would tell: no gap shows before the first packet, and the viewer has seen nothing to ask about."""
    with World() as world:
        source, _viewer, received = call(world, up=Link(drops=losing(MEDIA, 0)))
        source.start()
        world.run(1)
        assert source.keyframes == 2
        assert received.tags()[0].index == 0
        assert received.tags()[0].frame <= 3


def test_what_overtook_the_start_of_its_keyframe_goes_out_with_it() -> None:
    """Else a whole keyframe and all behind it would have to be repaired, for each viewer that waits for it."""
    with World() as world:
        source, _, _ = call(world)
        source.packets_per_frame = 12
        source.start()
        world.run(4)
        lost: list[bytes] = []

        def start_of_second_keyframe(data: bytes) -> bool:
            if source.keyframes == 2 and not lost and probes.demux(data) == "rtp":
                lost.append(data)
                return True
            return False

        source.publisher.up.drops = start_of_second_keyframe
        late = Viewer(world, asks=False)
        told = world.nodes[0].sandbox.submit(ReadStatistics(source.publisher.transport), world.now_us).statistics
        assert told is not None
        late.watch(consumer(VP8, ssrc=7), told.streams[0].id, source.spec)
        world.run(2)
        assert lost
        tags = late.streams[7].tags()
        assert tags[0].index == 0
        assert [(tag.frame - tags[0].frame, tag.index) for tag in tags[:24]] == [(n // 12, n % 12) for n in range(24)]
        assert late.streams[7].missing() == []


def test_both_ways_lossy_every_piece_arrives() -> None:
    with World(seed=3) as world:
        source, viewer, received = call(world, up=Link(20_000), down=Link(20_000))

        def ask_again() -> bool:
            missing = [n for n in received.missing() if n > received.highest - 300]
            if missing:
                viewer.nack(SINK, missing[:100])
            return True

        world.every(60_000, ask_again)
        source.start()
        world.run(0.1)
        with source.publisher.up.bad(), viewer.down.bad():
            world.run(15)
        world.run(0.1)
        source.stop()
        world.run(2)
        assert len(source.history) > 1000
        assert received.missing() == []
        same_pieces(source, received)
