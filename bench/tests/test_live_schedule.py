"""The live media of the benchmarks arrive as a browser would send them."""

from collections import Counter
from itertools import pairwise

import pytest

from bench import live_schedule


@pytest.mark.parametrize("bps", [300_000, 3_000_000, 8_000_000])
def test_video_keeps_its_bit_rate_and_its_pace(bps: int) -> None:
    frames = live_schedule.video(bps, seconds=9)
    assert sum(sum(frame.sizes) for frame in frames) == pytest.approx(bps / 8 * 9, rel=0.01)
    due = [at for frame in frames for at in frame.due_us]
    assert all(earlier <= later for earlier, later in pairwise(due))
    for number, frame in enumerate(frames):
        assert frame.due_us[0] >= number * 1_000_000 // 30
    ticks: Counter[int] = Counter()
    for frame in frames:
        for at, size in zip(frame.due_us, frame.sizes, strict=True):
            ticks[at] += size
    assert all(at % 5000 == 0 for at in ticks)
    assert max(ticks.values()) <= max(2.5 * bps / 8 / 200, 1150)


def test_packets_of_a_frame_are_equal_but_for_the_last_and_keyframes_are_large() -> None:
    frames = live_schedule.video(3_000_000, seconds=6)
    for frame in frames:
        *most, last = frame.sizes
        assert set(most) == {last + 4}
    large = [number for number, frame in enumerate(frames) if len(frame.sizes) > 2 * len(frames[1].sizes)]
    assert large == [0, 90]


def test_audio_is_a_packet_every_20_ms() -> None:
    frames = live_schedule.audio(seconds=2)
    assert [frame.due_us for frame in frames] == [(i * 20_000,) for i in range(100)]
    assert {frame.sizes for frame in frames} == {(100,)}
