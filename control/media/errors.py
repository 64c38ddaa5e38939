"""The error of a command that a worker refuses."""

from __future__ import annotations

from .fastpath import ErrorCode

_TEXTS = {
    ErrorCode.STALE_ID: "it is gone",
    ErrorCode.LIMIT: "a limit is reached",
    ErrorCode.DUPLICATE: "it is in use already",
    ErrorCode.REFUSED: "a value is out of its range",
}


class EngineError(Exception):
    """A worker refused a command. `stale`: its transport, producer or consumer is gone. `limit`: a limit is reached."""

    def __init__(self, command: str, code: ErrorCode, detail: str = "") -> None:
        super().__init__(f"{command}: {detail or _TEXTS[code]}")
        self.stale = code == ErrorCode.STALE_ID
        self.limit = code == ErrorCode.LIMIT
