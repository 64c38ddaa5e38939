"""The core reports when a producer has media that a viewer could decode: a keyframe for video, a packet for sound."""

from __future__ import annotations

from ci.support.scenario.packet import PAYLOADS, Frame
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import H264, OPUS, VP8, producer
from ci.support.scenario.world import World
from fanwire.fastpath.messages import Kind

NONE: frozenset[Kind] = frozenset()
SOUND, PICTURE, BOTH = frozenset({Kind.AUDIO}), frozenset({Kind.VIDEO}), frozenset(Kind)


def reported(world: World, publisher: Publisher) -> list[frozenset[Kind]]:
    """The kinds with media, as they were reported for the publisher's transport, without repetitions."""
    changes = [change for change in world.nodes[0].changes if change.transport == publisher.transport]
    kinds = [change.kinds_with_media for change in changes]
    return [kind for i, kind in enumerate(kinds) if i == 0 or kind != kinds[i - 1]]


def speak(source: Source) -> None:
    source.send_payload(PAYLOADS[source.pt.codec](Frame(False, True, (0, 0), 0, 0), bytes(20)))


def test_each_producer_is_reported_once_by_its_first_keyframe_or_packet_of_sound() -> None:
    with World() as world:
        publisher = Publisher(world)
        sound, picture = producer(OPUS, mid="a"), producer(VP8)
        publisher.publish(sound)
        publisher.publish(picture)
        voice = publisher.source(sound, ssrc=0x20)
        camera = publisher.source(picture, ssrc=0x10)
        world.run(1)
        assert reported(world, publisher) == [NONE]
        speak(voice)
        world.run(1)
        assert reported(world, publisher) == [NONE, SOUND]
        camera.start()
        world.run(3)
        assert reported(world, publisher) == [NONE, SOUND, BOTH]
        assert camera.requests_us == []


def test_a_first_keyframe_that_is_lost_is_requested_without_any_viewer_and_only_then_reported() -> None:
    for codec in (VP8, H264):
        with World() as world:
            publisher, spec = Publisher(world), producer(codec)
            publisher.publish(spec)
            camera = publisher.source(spec, ssrc=0x10)
            camera.keyframe_due = False  # as if it had been lost, and every packet of it
            camera.obeys = False
            camera.start()
            world.run(3)
            assert camera.requests_us != []
            assert reported(world, publisher) == [NONE]
            camera.keyframe_due = True
            world.run(1)
            assert reported(world, publisher) == [NONE, PICTURE]


def test_padding_is_no_media() -> None:
    with World() as world:
        publisher, spec = Publisher(world), producer(OPUS, mid="a")
        publisher.publish(spec)
        voice = publisher.source(spec, ssrc=0x20)
        voice.send_payload(b"", padding=100)
        world.run(1)
        assert reported(world, publisher) == [NONE]
        speak(voice)
        world.run(1)
        assert reported(world, publisher) == [NONE, SOUND]
