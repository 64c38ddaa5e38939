"""Polls for a condition that has no notification."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")


async def until(
    ask: Callable[[], Awaitable[_T]], accept: Callable[[_T], bool], timeout_s: float, every_s: float = 0.1
) -> _T:
    """Polls `ask` and returns its first result that `accept` accepts. Raises AssertionError after `timeout_s`."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        answer = await ask()
        if accept(answer):
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"still {answer!r} after {timeout_s} s"
        await asyncio.sleep(every_s)
