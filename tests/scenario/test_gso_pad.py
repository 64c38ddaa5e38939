"""Packets of one frame that differ by a few bytes leave in one size, so that they share a GSO message."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ci.support.scenario.packet import PAYLOADS, Frame, Tag
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import FIRST_SEQ, Received, Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Encoding

SINK, SINK_RTX = 1, 2


def call(world: World, *, rtx: bool = True) -> tuple[Source, Viewer, Received]:
    publisher, viewer = Publisher(world), Viewer(world, asks=False)
    spec = producer(VP8, encodings=[Encoding(ssrc=0x10, rtx_ssrc=0x11)])
    video = publisher.publish(spec)
    viewer.watch(consumer(VP8, ssrc=SINK, rtx_ssrc=SINK_RTX if rtx else 0), video, spec)
    world.run(0.2)
    return publisher.source(spec, ssrc=0x10, rtx_ssrc=0x11), viewer, viewer.streams[SINK]


def send_frame(source: Source, sizes: list[int]) -> list[bytes]:
    """A keyframe, in packets whose bodies have these sizes; the payloads."""
    source.frame += 1
    payloads = []
    for index, size in enumerate(sizes):
        frame = Frame(True, index == 0, source.size, source.picture_id, source.tl0)
        payloads.append(PAYLOADS[source.pt.codec](frame, bytes(Tag(0, source.frame, index)) + bytes(size)))
        source.send_payload(payloads[-1], marker=index == len(sizes) - 1)
    return payloads


def test_near_equal_packets_leave_in_one_size_and_the_last_as_it_is() -> None:
    with World() as world:
        source, _viewer, received = call(world)
        send_frame(source, [1000] * 2)
        world.run(0.1)
        before = world.counters()["rtp_out"]
        payloads = send_frame(source, [1000, 1001, 999, 1003, 1000])
        world.run(0.1)
        assert world.counters()["rtp_out"] - before == 5
        packets = received.ordered()[-5:]
        # The first of a keyframe holds its size as well, ten bytes that the others have not.
        whole = [len(packet.payload) + packet.padding for packet in packets]
        assert whole == [max(map(len, payloads))] * 4 + [len(payloads[-1])]
        assert [packet.padding for packet in packets][-1] == 0
        assert [len(packet.payload) for packet in packets] == [len(payload) for payload in payloads]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1100), min_size=1, max_size=20))
def test_padding_costs_a_64th_at_most_and_changes_no_payload(sizes: list[int]) -> None:
    with World() as world:
        source, _viewer, received = call(world)
        payloads = send_frame(source, sizes)
        world.run(0.1)
        packets = received.ordered()
        tails = [payload[8:] for payload in payloads]  # behind what is the viewer's own
        assert [packet.payload[8:] for packet in packets] == tails
        for packet in packets:
            assert packet.padding <= (len(packet.payload) + 40) / 64
        assert packets[-1].padding == 0


def test_a_padded_packet_is_repeated_to_the_byte_where_there_is_no_rtx() -> None:
    with World() as world:  # which sees two packets under one nonce
        source, viewer, received = call(world, rtx=False)
        send_frame(source, [1000, 1004, 1000])
        world.run(0.1)
        padded = FIRST_SEQ + 1
        assert received.packets[padded].padding > 0
        viewer.nack(SINK, [padded])
        world.run(0.1)
        assert world.counters()["plain_retransmit_out"] == 1
        assert viewer.replays == 1
