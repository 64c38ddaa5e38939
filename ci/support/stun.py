"""Connectivity checks of simulated clients (RFC 8445 section 7.2.2) and their answers, built by aioice."""

from __future__ import annotations

from collections.abc import Mapping

from aioice import stun

NOMINATION: Mapping[str, object] = {"PRIORITY": 1, "ICE-CONTROLLING": 1, "USE-CANDIDATE": None}


def binding_request(
    username: str,
    pwd: str,
    *,
    attributes: Mapping[str, object] = NOMINATION,
    kind: stun.Class = stun.Class.REQUEST,
    transaction: bytes | None = None,
) -> bytes:
    """A check with MESSAGE-INTEGRITY and FINGERPRINT. `username` is `receiver:sender`; no transaction id: random."""
    message = stun.Message(stun.Method.BINDING, kind, transaction, {"USERNAME": username, **attributes})
    message.add_message_integrity(pwd.encode())
    return bytes(message)


def binding_answer(request: stun.Message, pwd: str, address: tuple[str, int]) -> bytes:
    """The answer to a check that came from `address`, signed with the password of the answerer."""
    attributes = {"XOR-MAPPED-ADDRESS": address}
    message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id, attributes)
    message.add_message_integrity(pwd.encode())
    return bytes(message)


def is_request(data: bytes) -> bool:
    """True if a datagram is a Binding request."""
    return data[:2] == b"\x00\x01"
