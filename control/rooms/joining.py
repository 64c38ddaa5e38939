"""Steps of joining a room that need only the session and its description: checks, errors, names and numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..media.engine import EngineError
from ..session.description import SessionDescription
from ..session.dtls import DtlsError
from ..session.negotiate import NegotiationError
from ..session.session import Session
from .errors import SessionEnded, TooManySessions
from .policy import Permit


def check_alive(session: Session) -> None:
    """Raises SessionEnded for a session that is closing: its `leave` has run already."""
    if session.end is not None:
        raise SessionEnded(session.end)


@contextmanager
def room_errors(session: Session | None = None) -> Iterator[None]:
    """Turns errors of sessions and of the engine into NegotiationError, TooManySessions and SessionEnded."""
    try:
        yield
    except DtlsError as error:
        raise NegotiationError(str(error)) from error
    except EngineError as error:
        if error.stale:
            raise SessionEnded((session and session.end) or "its transport is gone") from error
        if error.limit:
            raise TooManySessions(f"The server cannot accept more sessions ({error}). Try again later.") from error
        raise NegotiationError(f"The offer cannot be served: {error}.") from error


def client_keys(address: str | None, permit: Permit | None) -> Sequence[str]:
    """The keys under which a session that has not connected is counted."""
    keys = [f"address {address}"] if address is not None else []
    return [*keys, f"subject {permit.identity}"] if permit is not None else keys


def mids_of(description: SessionDescription) -> tuple[str, ...]:
    """The MIDs of all media sections that have one."""
    return tuple(media.mid for media in description.medias if media.mid)


def index_of(description: SessionDescription, mid: str) -> int:
    """The index of a medium in the SDP."""
    return next(index for index, media in enumerate(description.medias) if media.mid == mid)


def random_ssrc() -> int:
    """An SSRC for a consumer (RFC 3550 section 8.1)."""
    return random.randrange(1, 1 << 32)


def sdp_session_id() -> int:
    """The session id of an SDP origin line, below 2^62 (RFC 8866 section 5.2)."""
    return random.getrandbits(62)


def stream_name(session: Session) -> str:
    """The stream id and the CNAME of the media that the server sends in a session."""
    return f"fanwire-{session.id[:8]}"
