"""The bundled transport of a session: reads the peer's side from an offer, and writes the server's into an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .description import Direction, Group, Media, Origin, SessionDescription

MAX_MID_CHARS = 16  # the limit of a one-byte header extension (RFC 8285 section 4.2)

_PROTOCOLS = {f"{lower}RTP/{profile}" for lower in ("UDP/TLS/", "TCP/DTLS/", "") for profile in ("SAVPF", "SAVP")}
HASHES = ("sha-256", "sha-384", "sha-512")


class NegotiationError(ValueError):
    """The offer is well-formed but cannot be answered. The message tells the client how to change it."""


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """The server's side: ICE credentials, fingerprint as `sha-256 AB:CD...`, and candidates as `candidate:...`."""

    ice_ufrag: str
    ice_pwd: str
    fingerprint: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """The peer's side: ICE credentials, fingerprints as (hash name, hex digits in pairs), and DTLS role.

    The role is `actpass`, `active` or `passive`.
    """

    ice_ufrag: str
    ice_pwd: str
    fingerprints: tuple[tuple[str, str], ...]
    setup: str

    @property
    def dtls_client(self) -> bool:
        """Whether the server is the DTLS client: only if the peer is passive."""
        return self.setup == "passive"


def remote_transport(offer: SessionDescription) -> RemoteTransport:
    """The transport that all audio and video of an offer share.

    Raises NegotiationError if there is none, SdpError for a malformed line that is needed.
    """
    medias = [media for media in offer.medias if media.kind in ("audio", "video") and not media.rejected]
    if not medias:
        raise NegotiationError("The offer has neither audio nor video.")
    if offer.ice_lite:
        raise NegotiationError("Both the offer and this server are ICE-lite: the offerer must be a full ICE agent.")
    for media in medias:
        _check_media(media)
    bundle = offer.bundle()
    if not bundle:
        medias[0].require("group")
    if len(medias) > 1 and not {media.mid for media in medias}.issubset(bundle):
        raise NegotiationError(
            "The offer has several media, and no a=group:BUNDLE line names them all: all media must share one "
            "transport (in a browser: bundlePolicy 'max-bundle')."
        )
    tagged = min(medias, key=lambda media: bundle.index(media.mid) if media.mid in bundle else 0)
    tagged.require("ice-ufrag", "ice-pwd", "setup")
    if not (tagged.ice_ufrag and tagged.ice_pwd):
        raise NegotiationError("The offer lacks a=ice-ufrag or a=ice-pwd: media flows over ICE only.")
    fingerprints = tuple((name, digest) for name, digest in tagged.fingerprints if name in HASHES)
    if not fingerprints:
        tagged.require("fingerprint")
        raise NegotiationError(f"The offer lacks an a=fingerprint with one of {', '.join(HASHES)}: DTLS needs it.")
    if tagged.setup == "holdconn":
        raise NegotiationError("The offer says a=setup:holdconn: use actpass, active or passive.")
    # Without a=setup an offerer is active (RFC 4145 section 4).
    return RemoteTransport(tagged.ice_ufrag, tagged.ice_pwd, fingerprints, tagged.setup or "active")


def accept(offer: Media, direction: Direction) -> Media:
    """An answer's section that accepts an offered one, without formats."""
    return Media(
        offer.kind,
        protocol=offer.protocol,
        mid=offer.mid,
        direction=direction,
        rtcp_mux=True,
        rtcp_rsize=offer.rtcp_rsize,
        extmap_allow_mixed=offer.extmap_allow_mixed,
    )


def assemble(
    offer: SessionDescription,
    local: LocalTransport,
    accepted: Mapping[int, Media],
    *,
    dtls_client: bool,
    session_id: int,
) -> SessionDescription:
    """The answer: accepted sections (at least one) at the indexes of their offers, all others rejected."""
    hash_name, digest = local.fingerprint.split(" ", 1)
    for section in accepted.values():
        section.ice_ufrag, section.ice_pwd = local.ice_ufrag, local.ice_pwd
        section.fingerprints = [(hash_name, digest)]
        section.setup = "active" if dtls_client else "passive"
        # The first section would suffice (RFC 9143 section 7.3.1), but aiortc reads the candidates of the last.
        section.candidates = list(local.candidates)
        section.end_of_candidates = True
    medias = [accepted.get(index) or _reject(media) for index, media in enumerate(offer.medias)]
    bundle = offer.bundle()
    bundled = tuple(media.mid for media in medias if not media.rejected and media.mid in bundle)
    return SessionDescription(
        Origin(session_id), [Group("BUNDLE", bundled)] if bundled else [], ice_lite=True, medias=medias
    )


def _check_media(media: Media) -> None:
    media.require("mid")
    if media.protocol not in _PROTOCOLS:
        raise NegotiationError(f"The offer's {media.kind} uses {media.protocol}: WebRTC uses UDP/TLS/RTP/SAVPF.")
    if not media.rtcp_mux and not media.bundle_only:  # RFC 9143 section 9: the tagged one counts
        raise NegotiationError(f"The offer's {media.kind} lacks a=rtcp-mux: RTP and RTCP must share one port.")
    if len(media.mid) > MAX_MID_CHARS:
        raise NegotiationError(f"The mid {media.mid[:80]!r} is longer than {MAX_MID_CHARS} characters.")


def _reject(offer: Media) -> Media:
    return Media(offer.kind, 0, offer.protocol, offer.formats[:1], mid=offer.mid, direction=Direction.INACTIVE)
