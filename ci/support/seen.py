"""Pictures and sound of a viewer over a period, and measurements and assertions on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .barcode import WRAP_MS


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture that was shown, `shown_ms` on the wall clock; `stamp_ms` is the publisher's, None if unreadable."""

    stamp_ms: int | None
    shown_ms: float
    width: int
    height: int

    @property
    def latency_ms(self) -> float:
        """From drawing to showing; the stamp must be readable."""
        assert self.stamp_ms is not None
        return (self.shown_ms - self.stamp_ms) % WRAP_MS


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """One period of watching. Onsets of flashes and beeps are ms on the wall clock; `audible` is the share of the time
    with sound, `tone_hz` its frequency."""

    frames: Sequence[Frame]
    flashes: Sequence[float] = ()
    beeps: Sequence[float] = ()
    sound_s: float = 0.0
    audible: float = 0.0
    tone_hz: float = 0.0

    @property
    def readable(self) -> list[Frame]:
        """The frames with a readable barcode."""
        return [frame for frame in self.frames if frame.stamp_ms is not None]

    @property
    def stamps(self) -> list[int]:
        """The publisher's clock in every readable frame, in the order they were shown."""
        return [frame.stamp_ms for frame in self.frames if frame.stamp_ms is not None]

    @property
    def widths(self) -> set[int]:
        """The widths of the frames, in pixels."""
        return {frame.width for frame in self.frames}

    @property
    def latency_ms(self) -> float:
        """The usual time from the publisher's canvas to the viewer's screen."""
        return median(frame.latency_ms for frame in self.readable)

    @property
    def is_live(self) -> bool:
        """True if the picture moves and is less than a second old."""
        return len(self.readable) >= 5 and self.latency_ms < 1000

    def __repr__(self) -> str:
        age = f", {self.latency_ms:.0f} ms old" if self.readable else ""
        sound = f"beeps {[round(skew) for skew in self.skews_ms]} ms late" if self.flashes else f"{self.tone_hz:.0f} Hz"
        return f"Seen({len(self.frames)} frames, {len(self.readable)} readable{age}; {sound})"

    @property
    def skews_ms(self) -> list[float]:
        """Delay of the beep after each flash, negative if before it; at most half a second."""
        nearest = [min((beep - flash for beep in self.beeps), key=abs, default=1e9) for flash in self.flashes]
        return [skew for skew in nearest if abs(skew) <= 500]

    @property
    def is_in_sync(self) -> bool:
        """True if every flash has its beep within 0.1 s."""
        return len(self.skews_ms) >= 2 and max(map(abs, self.skews_ms)) <= 100

    @property
    def is_sharp(self) -> bool:
        """True if nearly every frame is readable."""
        return len(self.readable) >= 0.9 * len(self.frames)

    def longest_pause_ms(self, beside: Seen) -> float:
        """The longest gap between pictures, minus the wait of a steady viewer in it, to allow for a busy machine."""
        steady = list(pairwise(frame.shown_ms for frame in beside.frames))

        def excess(start: float, end: float) -> float:
            shared = (min(end, next_one) - max(start, one) for one, next_one in steady)
            return end - start - max(0, max(shared, default=0))

        return max(excess(before.shown_ms, after.shown_ms) for before, after in pairwise(self.frames))

    def check_picture(self, back_ms: int = 0) -> None:
        """Asserts a live picture: moving, readable, fluent and less than a second old.

        The publisher's clock may go back by `back_ms`, at a switch to an encoding whose keyframe was late.
        """
        self.check_whole(back_ms)
        pauses = [after.shown_ms - before.shown_ms for before, after in pairwise(self.frames)]
        assert max(pauses) < 1000, f"the picture froze for {max(pauses):.0f} ms"
        assert self.latency_ms < 1000, f"the picture is {self.latency_ms:.0f} ms old"

    def check_whole(self, back_ms: int = 0) -> None:
        """Asserts a moving, readable picture of any age."""
        assert len(self.readable) >= 10, f"only {len(self.readable)} of {len(self.frames)} frames could be read"
        assert self.is_sharp, "the picture is broken"
        steps = [(after - before) % WRAP_MS for before, after in pairwise(self.stamps)]
        back = max((WRAP_MS - step for step in steps if step >= WRAP_MS / 2), default=0)
        assert back <= back_ms, f"the picture went back in time by {back} ms"

    def check_tone(self, hz: float) -> None:
        """Asserts that `hz` was heard, nearly all of the time: a busy machine may cause short gaps."""
        assert self.sound_s > 0.5, "no sound arrived"
        assert self.audible > 0.8, f"silent for {1 - self.audible:.0%} of the time"
        assert abs(self.tone_hz - hz) < 0.03 * hz, f"heard {self.tone_hz:.0f} Hz instead of {hz} Hz"
