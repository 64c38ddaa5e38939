"""SRTP by libsrtp (pylibsrtp) for any SSRC: an implementation independent of the server's."""

from __future__ import annotations

from pylibsrtp import Policy, Session

from fanwire.fastpath.messages import SrtpProfile

WINDOW = 1024  # packets of the replay window


def policy(profile: SrtpProfile, key: bytes, *, inbound: bool) -> Policy:
    """`key` is the master key followed by the salt. libsrtp knows profiles by their IANA numbers too."""
    kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    made = Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    made.window_size = WINDOW
    return made


def session(profile: SrtpProfile, key: bytes, *, inbound: bool) -> Session:
    """Decrypts if `inbound`, else encrypts."""
    return Session(policy(profile, key, inbound=inbound))
