"""The error of a command that a worker refuses."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """The reason of a refusal, as the core numbers it."""

    STALE = 1
    LIMIT = 2
    IN_USE = 3
    OUT_OF_RANGE = 4


_TEXTS = {
    ErrorCode.STALE: "it is gone",
    ErrorCode.LIMIT: "a limit is reached",
    ErrorCode.IN_USE: "it is in use already",
    ErrorCode.OUT_OF_RANGE: "a value is out of its range",
}


class EngineError(Exception):
    """A worker refused a command. `stale`: its transport, producer or consumer is gone. `limit`: a limit is reached."""

    def __init__(self, command: str, code: int, detail: str = "") -> None:
        known = next((item for item in ErrorCode if item == code), None)
        super().__init__(f"{command}: {detail or (_TEXTS[known] if known else f'error {code}')}")
        self.stale = code == ErrorCode.STALE
        self.limit = code == ErrorCode.LIMIT
