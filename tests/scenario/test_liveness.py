"""Liveness: any authenticated packet over the current path keeps a session, and only silence of all kinds ends it."""

from __future__ import annotations

import pytest

from ci.support.scenario.peer import Peer
from ci.support.scenario.publisher import Publisher
from ci.support.scenario.specs import VP8, consumer, producer
from ci.support.scenario.viewer import Viewer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import CloseReason, Encoding, TransportState

SPEC = producer(VP8, encodings=[Encoding(ssrc=7, rtx_ssrc=8)])
SSRC = 100


def closed(world: World, peer: Peer) -> bool:
    changes = [change for change in world.nodes[0].changes if change.transport == peer.transport]
    assert all(change.reason in (CloseReason.NONE, CloseReason.CONSENT_LOST) for change in changes)
    return changes[-1].state is TransportState.CLOSED


@pytest.mark.parametrize("proves", [True, False])
def test_clients_that_send_no_checks_while_media_flows_go_on(proves: bool) -> None:
    """GStreamer's webrtcbin 1.22 and Pion v3 do so. The publisher sends media, the viewer only receiver reports."""
    with World() as world:
        publisher, viewer = Publisher(world), Viewer(world)
        publisher.proves = viewer.proves = proves
        video = publisher.publish(SPEC)
        viewer.watch(consumer(VP8, ssrc=SSRC), video, SPEC)
        world.run(0.5)
        publisher.alive = viewer.alive = False
        reporting = True

        def report() -> bool:
            viewer.report(SSRC)
            return reporting

        world.every(5_000_000, report)
        source = publisher.source(SPEC, ssrc=7, rtx_ssrc=8).start(reports=False)
        world.run(120)
        assert not closed(world, publisher)
        assert not closed(world, viewer)
        assert len(viewer.streams[SSRC].packets) > 119 * 25 * 3
        source.stop()
        world.run(29.9)
        assert not closed(world, publisher)
        world.run(0.2)
        assert closed(world, publisher), "30 s after its last packet"
        assert not closed(world, viewer)
        reporting = False
        world.run(36)
        assert closed(world, viewer)


def test_a_publisher_that_only_reports_goes_on() -> None:
    with World() as world:
        publisher = Publisher(world)
        publisher.publish(SPEC)
        world.run(0.5)
        source = publisher.source(SPEC, ssrc=7, rtx_ssrc=8).start()
        world.run(0.1)
        publisher.alive = source.running = False
        world.run(120)
        assert not closed(world, publisher)
        source.reports = False
        world.run(31)
        assert closed(world, publisher)


def test_what_is_not_authentic_is_no_sign_of_life() -> None:
    with World() as world:
        viewer, stranger = Viewer(world), Peer(world)
        sent: list[bytes] = []
        world.run(0.5)
        viewer.watch(consumer(VP8, ssrc=SSRC))
        viewer.alive = False
        protect = viewer.outbound.protect_rtcp

        def remember(compound: bytes) -> bytes:
            sent.append(protect(compound))
            return sent[-1]

        viewer.send_raw(remember(b"\x80\xc9\0\1\0\0\0\1"))

        def pester() -> bool:
            viewer.send_raw(sent[0])
            viewer.send_raw(stranger.outbound.protect_rtcp(b"\x80\xc9\0\1\0\0\0\2"))
            viewer.send_raw(b"\x17\xfe\xfd\0\1" + bytes(20))
            viewer.check(pwd="not-the-password-of-anyone")
            return True

        world.every(1_000_000, pester)
        world.run(31)
        assert closed(world, viewer)
