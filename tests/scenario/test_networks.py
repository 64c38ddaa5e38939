"""Whole calls over random networks: what holds always is watched by the wiretap, what must come through is checked."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import OPUS, PUBLISHED_EXTENSIONS, VP8, consumer, producer
from ci.support.scenario.viewer import Received, Viewer
from ci.support.scenario.world import Link, World
from fanwire.fastpath.messages import AddRelayedProducer, AddRelayTarget, Encoding, Extension, SrtpProfile

RIDS = PUBLISHED_EXTENSIONS | {Extension.RID: 10, Extension.REPAIRED_RID: 11}
CAMERA = producer(VP8, extensions=RIDS, encodings=[Encoding("q"), Encoding("h"), Encoding("f")])
SOUND = producer(OPUS, mid="a", extensions=RIDS)


def bad_link(world: World) -> Link:
    chance = world.chance
    return Link(chance.randrange(60_000), chance.randrange(40_000), chance.random() * 0.08, chance.random() < 0.5)


def sources(publisher: Publisher, label: int) -> list[Source]:
    chance = publisher.world.chance
    start: dict[str, Any] = {"label": label, "seq": chance.randrange(1 << 16), "timestamp": chance.randrange(1 << 32)}
    made = [
        publisher.source(CAMERA, ssrc=0x20 + n, rtx_ssrc=0x30 + n, rid=rid, size=(320 << n, 180 << n), **start)
        for n, rid in enumerate("qhf")
    ]
    return [*made, publisher.source(SOUND, ssrc=0x29, interval_us=20_000, packets_per_frame=1, **start)]


def persist(world: World, viewer: Viewer) -> None:
    """Asks again and again for what is missing, and for a keyframe now and then."""

    def ask() -> bool:
        for ssrc, received in viewer.streams.items():
            missing = [n for n in received.missing() if n > received.highest - 200]
            if missing:
                viewer.nack(ssrc, missing[:60])
            if world.chance.random() < 0.02:
                viewer.ask_keyframe(ssrc)
            viewer.report(ssrc)
        return True

    world.every(100_000, ask)


@pytest.mark.parametrize("seed", range(12))
def test_calls_over_random_networks_come_through(seed: int) -> None:
    """A simulcast whose encodings come and go, sound, two workers, viewers with and without RTX, a publisher that
    comes back."""
    with World(seed=seed, nodes=2) as world:
        profile = world.chance.choice(list(SrtpProfile))
        viewers = [
            Viewer(world, node=n % 2, up=bad_link(world), down=bad_link(world), profile=profile) for n in range(4)
        ]
        video = {v: consumer(VP8, ssrc=1, rtx_ssrc=2 if n < 2 else 0) for n, v in enumerate(viewers)}
        audio = {v: consumer(OPUS, ssrc=3) for v in viewers}
        watching = {v: (v.watch(video[v]), v.watch(audio[v])) for v in viewers}
        for viewer in viewers:
            persist(world, viewer)
        for life in (1, 2):
            publisher = Publisher(world, up=bad_link(world), down=bad_link(world), profile=profile)
            known = [(CAMERA, publisher.publish(CAMERA)), (SOUND, publisher.publish(SOUND))]
            for place, (spec, home) in enumerate(known):
                copy = world.submit(AddRelayedProducer(0, home, spec), 1)
                world.submit(AddRelayTarget(home, 1, copy))
                for viewer in viewers:
                    sink = (video if spec is CAMERA else audio)[viewer]
                    viewer.follow(watching[viewer][place], sink, copy if viewer.node else home, spec)
            world.run(3)
            layers = sources(publisher, life)
            for source in layers:
                source.start()
            for _ in range(3):
                world.run(1.5)
                layer = world.chance.choice(layers[1:3])
                if layer.running:
                    layer.stop()
                else:
                    layer.start()
            for source in layers:
                source.stop()
            publisher.alive = False
            world.run(1)
        for viewer in viewers:
            plays_through(viewer.streams[1], lost=0.03)
            plays_through(viewer.streams[3], lost=0.2)  # nothing repairs sound


def plays_through(received: Received, lost: float) -> None:
    """Both publishers were seen, the one after the other, nothing twice, and no more than `lost` of it is missing."""
    labels = [label for label, _ in itertools.groupby(tag.label for tag in received.tags())]
    assert labels == [1, 2]
    assert len(received.packets) >= 200
    assert len(received.missing()) <= len(received.packets) * lost
    sent = zip(received.tags(), received.ordered(), strict=True)
    pieces = {(tag, packet.payload[:8], packet.timestamp) for tag, packet in sent}
    assert len(pieces) == len(received.packets)
