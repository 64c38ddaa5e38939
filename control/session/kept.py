"""A cache with a bound on the total size. Evicts the least recently used value."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key. Their sizes, in the unit of `most`, add up to at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The cached value of a key, or None."""
        kept = self._values.get(key)
        if kept is None:
            return None
        self._values.move_to_end(key)
        return kept[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Cache a value of this size. A value larger than `most` is not cached."""
        if key in self._values:
            self._size -= self._values.pop(key)[1]
        if size > self._most:
            return
        self._values[key] = value, size
        self._size += size
        while self._size > self._most:
            _, (_, freed) = self._values.popitem(last=False)
            self._size -= freed
