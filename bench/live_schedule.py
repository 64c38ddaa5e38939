"""When packets of live media arrive, and how large they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

FRAMES_PER_S = 30
KEYFRAME_EVERY = 90  # frames
KEYFRAME_FACTOR = 5  # times an ordinary frame
MOST_PAYLOAD_BYTES = 1150
LAST_IS_SHORTER_BYTES = 4
PACER_US = 5000
PACER_FACTOR = 2.5  # of the bit rate: what libwebrtc's pacer sends at
AUDIO_US = 20_000
AUDIO_BYTES = 100


@dataclass(frozen=True, slots=True)
class Frame:
    """The payload bytes of each packet of one frame, and when each is sent, in µs from the start."""

    sizes: tuple[int, ...]
    due_us: tuple[int, ...]


def video(bps: int, seconds: int) -> list[Frame]:
    """Frames of near-equal packets, sent by a pacer every 5 ms; every third second starts with a keyframe."""
    count = FRAMES_PER_S * seconds
    sizes = [_sizes(_frame_bytes(bps, i)) for i in range(count)]
    due = _paced(sizes, bps)
    return [Frame(packets, tuple(next(due) for _ in packets)) for packets in sizes]


def audio(seconds: int) -> list[Frame]:
    """A packet of 100 bytes every 20 ms."""
    return [Frame((AUDIO_BYTES,), (i * AUDIO_US,)) for i in range(seconds * 1_000_000 // AUDIO_US)]


def _frame_bytes(bps: int, index: int) -> int:
    """Of a frame: all together they make up the bit rate."""
    of_all = bps / 8 / FRAMES_PER_S * KEYFRAME_EVERY
    ordinary = of_all / (KEYFRAME_EVERY - 1 + KEYFRAME_FACTOR)
    return round(ordinary * KEYFRAME_FACTOR if index % KEYFRAME_EVERY == 0 else ordinary)


def _sizes(frame_bytes: int) -> tuple[int, ...]:
    """As libwebrtc splits a frame: as equal as can be, the last a few bytes shorter: 1124, 1124, 1124, 1120."""
    count = -(-frame_bytes // MOST_PAYLOAD_BYTES)
    if count == 1:
        return (frame_bytes,)
    size = -(-(frame_bytes + LAST_IS_SHORTER_BYTES) // count)
    return (size,) * (count - 1) + (size - LAST_IS_SHORTER_BYTES,)


def _paced(frames: list[tuple[int, ...]], bps: int) -> Iterator[int]:
    """When each packet of the frames goes: at a tick of the pacer, as many as its budget has room for."""
    a_tick = bps / 8 * PACER_FACTOR * PACER_US / 1_000_000
    waiting: deque[int] = deque()
    budget, now_us, next_frame = a_tick, 0, 0
    while waiting or next_frame < len(frames):
        if next_frame < len(frames) and next_frame * 1_000_000 <= now_us * FRAMES_PER_S:
            waiting.extend(frames[next_frame])
            next_frame += 1
        while waiting and budget >= min(waiting[0], a_tick):
            budget -= waiting.popleft()
            yield now_us
        budget = min(budget + a_tick, a_tick)
        now_us += PACER_US
