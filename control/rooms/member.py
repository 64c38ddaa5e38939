"""A member of a room: a session, whose it is, and how long it may last."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ..media.engine import EngineError, TransportStatistics
from ..session.session import Session
from .errors import Forbidden, SessionNotFound
from .policy import Permit, SessionKind


class Member:
    """A session and its place in a room.

    `identity` is the publisher's name, or the name in a viewer's token; None for a viewer without one. `joined_at` is
    Unix time in seconds. A session that was opened with a token ends when that expires.
    """

    def __init__(
        self, session: Session, room: str, kind: SessionKind, identity: str | None, permit: Permit | None
    ) -> None:
        self.session = session
        self.room = room
        self.kind = kind
        self.identity = identity
        self.joined_at = time.time()
        self._permit = permit
        self._expiry: asyncio.TimerHandle | None = None
        self._arm()

    @property
    def id(self) -> str:
        """Unguessable: without tokens, knowing it is the permission to change and end the session."""
        return self.session.id

    @property
    def etag(self) -> str:
        """Names the current ICE session; a restart changes it."""
        return self.session.etag

    @property
    def expires_at(self) -> float | None:
        """When the session ends at the latest (Unix time in seconds), or None."""
        return self._permit.expires_at if self._permit is not None else None

    def authorize(self, permit: Permit) -> None:
        """Raises Forbidden unless the bearer owns this session. A token that lasts longer prolongs the session."""
        permit.check(self.kind, self.room)
        if self._permit is None or permit.identity != self._permit.identity:
            raise Forbidden("The session belongs to somebody else.")
        if permit.expires_at > self._permit.expires_at:
            self._permit = permit
            self._arm()

    async def trickle(self, fragment: str, /) -> None:
        """Take further ICE candidates of the client (RFC 8840). Raises SdpError."""
        await self.session.trickle(fragment)

    async def restart_ice(self, fragment: str, /) -> str:
        """Restart ICE with the client's new credentials; gives the answering fragment. Raises SdpError."""
        try:
            return await self.session.restart_ice(fragment)
        except EngineError as error:
            raise _gone(error) from error

    async def statistics(self) -> TransportStatistics:
        """What the session's worker knows of it now. Raises SessionNotFound."""
        try:
            return await self.session.statistics()
        except EngineError as error:
            raise _gone(error) from error

    async def close(self) -> None:
        """End the session."""
        await self.session.close()

    def forget(self) -> None:
        """The session has ended: nothing is to be done about it any more."""
        if self._expiry is not None:
            self._expiry.cancel()

    def _arm(self) -> None:
        self.forget()
        if self._permit is not None:
            delay_s = self._permit.expires_at - time.time()
            self._expiry = asyncio.get_running_loop().call_later(
                delay_s, self.session.end_soon, "the token has expired"
            )


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome of joining: the session, and the SDP answer to the client's offer."""

    session: Member
    answer: str


def _gone(error: EngineError) -> Exception:
    return SessionNotFound() if error.stale else error
