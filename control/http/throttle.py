"""A rate limit for each of many keys: token buckets, stored as one number each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Throttle:
    """Buckets of `burst` tokens (at least 1), filled at `per_s` per second; full for a new key.

    Of the keys only the `max_keys` seen last are remembered.
    """

    def __init__(
        self, per_s: float, burst: float, *, max_keys: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s = 1 / per_s
        self._slack_s = (max(burst, 1.0) - 1) * self._interval_s
        self._full_at: OrderedDict[str, float] = OrderedDict()  # the time when the bucket of a key will be full
        self._max_keys = max_keys
        self._clock = clock

    def wait_s(self, key: str) -> float:
        """Seconds until a token can be taken: 0 for now."""
        return max(0.0, self._full_at.get(key, 0.0) - self._slack_s - self._clock())

    def take(self, key: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        wait_s = self.wait_s(key)
        if wait_s == 0:
            self._full_at[key] = max(self._full_at.get(key, 0.0), self._clock()) + self._interval_s
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._max_keys:
                self._full_at.popitem(last=False)
        return wait_s
