"""A simulcast publisher: encodings of constant mean rate at 30 fps, keyframes on request."""

from __future__ import annotations

import random

LADDER = (148_000, 500_000, 2_470_000)  # three-layer VP8 as Chromium sends it
FRAME_US = 33_333
PACKET_BYTES = 1_200
KEYFRAME = 4  # times the mean frame
KEYFRAME_DELAY_US = 100_000  # from the request to the encoder's next frame


class Encoding:
    """One encoding; after a keyframe its rate control saves the excess over the frames that follow."""

    def __init__(self, bps: int, seed: int):
        self.bps = bps
        self._mean = bps * FRAME_US / 8e6
        self._random = random.Random(seed)
        self._excess = 0.0
        self._keyframe_us: int | None = None

    def request_keyframe(self, now_us: int) -> None:
        if self._keyframe_us is None:
            self._keyframe_us = now_us + KEYFRAME_DELAY_US

    def frame(self, now_us: int) -> tuple[list[int], bool]:
        """The sizes of the next frame's packets, and whether it is a keyframe."""
        is_key = self._keyframe_us is not None and now_us >= self._keyframe_us
        if is_key:
            self._keyframe_us = None
        noise = min(1.6, max(0.5, self._random.gauss(1, 0.15)))
        size = self._mean * (KEYFRAME if is_key else noise)
        if not is_key:
            size = max(size * 0.3, size - self._excess / 10)
        self._excess += size - self._mean
        whole = round(size)
        count = -(-whole // PACKET_BYTES)
        return [(whole + index) // count for index in range(count)], is_key


class Publisher:
    """The ladder of one publisher; its encodings send a frame each at the same moments."""

    def __init__(self, seed: int, ladder: tuple[int, ...] = LADDER):
        self.encodings = [Encoding(bps, seed * 101 + index) for index, bps in enumerate(ladder)]
        self.sending = True

    def frames(self, now_us: int) -> list[tuple[list[int], bool]]:
        return [encoding.frame(now_us) for encoding in self.encodings]
