"""The core reports when a producer has media that a viewer could decode: a keyframe for video, a packet for sound."""

from __future__ import annotations

from ci.support.scenario.packet import PAYLOADS, Frame
from ci.support.scenario.publisher import Publisher, Source
from ci.support.scenario.specs import H264, OPUS, VP8, producer
from ci.support.scenario.world import World


def reported(world: World, publisher: Publisher) -> list[int]:
    """The counts of producers with media, as they were reported for the publisher's transport, without repetitions."""
    counts = [
        change.producers_with_media for change in world.nodes[0].changes if change.transport == publisher.transport
    ]
    return [count for i, count in enumerate(counts) if i == 0 or count != counts[i - 1]]


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
        assert reported(world, publisher) == [0]
        speak(voice)
        world.run(1)
        assert reported(world, publisher) == [0, 1]
        camera.start()
        world.run(3)
        assert reported(world, publisher) == [0, 1, 2]
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
            assert reported(world, publisher) == [0]
            camera.keyframe_due = True
            world.run(1)
            assert reported(world, publisher) == [0, 1]


def test_padding_is_no_media() -> None:
    with World() as world:
        publisher, spec = Publisher(world), producer(OPUS, mid="a")
        publisher.publish(spec)
        voice = publisher.source(spec, ssrc=0x20)
        voice.send_payload(b"", padding=100)
        world.run(1)
        assert reported(world, publisher) == [0]
        speak(voice)
        world.run(1)
        assert reported(world, publisher) == [0, 1]
