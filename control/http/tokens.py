"""Bearer tokens: makes and verifies JWTs (RFC 7519), signed with one of several keys."""

from __future__ import annotations

import time
from collections.abc import Mapping

import jwt

from ..rooms.policy import ANY_ROOM, Permit
from .names import is_name

GRANTS = ("publish", "subscribe", "admin", "metrics")
"""The boolean members of the `fanwire` claim; its `room` is a name or ANY_ROOM."""

LEEWAY_S = 5
"""The largest accepted difference between the clocks of the issuer and of the server."""

MAX_TTL_S = 366 * 86_400

_CLAIM = "fanwire"
_ALGORITHM = "HS256"


class TokenError(Exception):
    """A token is invalid, or cannot be made. The text contains nothing of the token."""


def mint(
    keys: Mapping[str, str],
    identity: str,
    *,
    key_id: str | None = None,
    room: str | None = None,
    grants: Mapping[str, bool],
    ttl_s: int,
) -> str:
    """A token, signed with the key of this id, by default the first. Raises TokenError for invalid arguments."""
    chosen = key_id or next(iter(keys), None)
    if chosen is None:
        raise TokenError("There are no keys to sign a token with.")
    if chosen not in keys:
        raise TokenError(f"The key {chosen!r} does not exist; the keys are {', '.join(keys)}.")
    now = int(time.time())
    granted: dict[str, object] = {name: True for name in GRANTS if grants.get(name)}
    if room is not None:
        granted["room"] = room
    claims: dict[str, object] = {"sub": identity, "iat": now, "exp": now + ttl_s, _CLAIM: granted}
    if not 1 <= ttl_s <= MAX_TTL_S:
        raise TokenError(f"The lifetime of a token is 1 to {MAX_TTL_S} seconds.")
    _permit(claims)
    return jwt.encode(claims, keys[chosen], _ALGORITHM, {"kid": chosen})


def read(keys: Mapping[str, str], token: str) -> Permit:
    """The permit in a token. Raises TokenError with the reason."""
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        if not isinstance(key_id, str) or key_id not in keys:
            raise TokenError("No key of this server has signed the token.")
        claims = jwt.decode(token, keys[key_id], [_ALGORITHM], leeway=LEEWAY_S, options={"require": ["exp", "sub"]})
    except jwt.ExpiredSignatureError:
        raise TokenError("The token has expired.") from None
    except jwt.ImmatureSignatureError:
        raise TokenError("The token is not valid yet.") from None
    except jwt.InvalidAudienceError:
        raise TokenError("The token is for another service: it has an audience.") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenError(f"The token lacks the claim {error.claim!r}.") from None
    except jwt.InvalidSignatureError:
        raise TokenError("No key of this server has signed the token.") from None
    except jwt.InvalidAlgorithmError:
        raise TokenError(f"The token is not signed with {_ALGORITHM}.") from None
    except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError):
        raise TokenError("The token is malformed.") from None
    return _permit(claims)


def _permit(claims: Mapping[str, object]) -> Permit:
    identity, expires, grants = claims["sub"], claims["exp"], claims.get(_CLAIM)
    if not isinstance(identity, str) or not is_name(identity):
        raise TokenError("The token's subject may have 1 to 128 letters, digits and . _ ~ - only.")
    if not isinstance(expires, int | float) or not 0 < expires < 1 << 53:
        raise TokenError("The token's expiry is not a number.")
    if not isinstance(grants, dict):
        raise TokenError(f"The token lacks the claim {_CLAIM!r}.")
    allowed = {name: grants.get(name, False) for name in GRANTS}
    if not all(isinstance(value, bool) for value in allowed.values()):
        raise TokenError(f"Each of {', '.join(GRANTS)} in the token is true or false.")
    room = grants.get("room")
    if room is not None and room != ANY_ROOM and not (isinstance(room, str) and is_name(room)):
        raise TokenError(f"The token's room is neither a room's name nor {ANY_ROOM}.")
    if room is None and (allowed["publish"] or allowed["subscribe"]):
        raise TokenError(f"A token to publish or subscribe names a room, or {ANY_ROOM} for every room.")
    return Permit(identity, expires + LEEWAY_S, room, **allowed)
