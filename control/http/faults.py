"""What aiohttp refuses before any handler sees it: headers too long, requests that are no HTTP. Counted, not logged."""

from __future__ import annotations

import logging
from collections import Counter

from aiohttp import http_exceptions, web

from .problems import PROBLEMS_TOLD


def fault_logger(app: web.Application) -> logging.Logger:
    """The logger that aiohttp's server is to use: what is the client's fault becomes a count among the problems."""
    logger = logging.Logger("aiohttp.server")
    logger.parent = logging.getLogger("aiohttp.server")
    logger.addFilter(_ClientFaults(app[PROBLEMS_TOLD]))
    return logger


class _ClientFaults(logging.Filter):
    def __init__(self, problems_told: Counter[str]) -> None:
        super().__init__()
        self._problems_told = problems_told

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, http_exceptions.HttpProcessingError):
            return True
        too_long = isinstance(error, http_exceptions.LineTooLong)
        self._problems_told["header-too-long" if too_long else "malformed-request"] += 1
        return False
