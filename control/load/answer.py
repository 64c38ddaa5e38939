"""Reads a server's SDP answer: its transport, and the media that it sends or receives."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ..media.engine import ConsumerSpec, Kind, ProducerSpec
from ..session.bundle import RemoteTransport
from ..session.codecs import supported_payload_types
from ..session.description import Media, SessionDescription
from ..session.encodings import encodings_by_ssrc
from ..session.extensions import extensions_from_publisher, extensions_to_viewer
from ..session.sdp import SdpError, parse
from .offer import Sources

_KINDS = {"audio": Kind.AUDIO, "video": Kind.VIDEO}


class AnswerError(ValueError):
    """The answer cannot be used. The message gives the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer. `addresses` are those of its UDP candidates, by falling priority."""

    remote: RemoteTransport
    addresses: tuple[tuple[str, int], ...]
    medias: tuple[Media, ...]

    @classmethod
    def read(cls, sdp: str) -> Answer:
        """Parse an answer. Raises AnswerError where it is invalid or accepts no medium."""
        try:
            description = parse(sdp)
        except SdpError as error:
            raise AnswerError(str(error)) from None
        medias = tuple(m for m in description.medias if m.kind in _KINDS and not m.rejected)
        if not medias:
            raise AnswerError("The answer accepts neither audio nor video.")
        tagged = _tagged(description, medias)
        try:
            tagged.require("ice-ufrag", "ice-pwd", "fingerprint", "setup")
        except SdpError as error:
            raise AnswerError(str(error)) from None
        if not (tagged.ice_ufrag and tagged.ice_pwd and tagged.fingerprints):
            raise AnswerError("The answer lacks a=ice-ufrag, a=ice-pwd or a=fingerprint.")
        remote = RemoteTransport(
            tagged.ice_ufrag, tagged.ice_pwd, tuple(tagged.fingerprints), tagged.setup or "passive"
        )
        addresses = _addresses([candidate for media in medias for candidate in media.candidates])
        if not addresses:
            raise AnswerError("The answer names no UDP candidate with an IP address.")
        return cls(remote, addresses, medias)

    def producers(self) -> list[ProducerSpec]:
        """The media that the server sends to a viewer, as producers of the engine."""
        specs = []
        for media in self.medias:
            payload_types = supported_payload_types(media)
            if media.direction.sends and payload_types:
                extensions = extensions_from_publisher(media, payload_types)
                kind, encodings = _KINDS[media.kind], encodings_by_ssrc(media)
                specs.append(ProducerSpec(media.mid, kind, payload_types, extensions, encodings, media.rtcp_rsize))
        return specs

    def consumers(self, sources: Sources) -> list[ConsumerSpec]:
        """The media that the server receives from a publisher, as consumers of the engine."""
        specs = []
        for media in self.medias:
            payload_types = supported_payload_types(media)
            if not media.direction.receives or not payload_types:
                continue
            repairs = any(accepted.nack and accepted.rtx_pt is not None for accepted in payload_types)
            specs.append(
                ConsumerSpec(
                    media.mid,
                    _KINDS[media.kind],
                    payload_types,
                    ssrc=sources.audio if media.kind == "audio" else sources.video,
                    rtx_ssrc=sources.video_rtx if repairs and media.kind == "video" else 0,
                    cname=sources.cname,
                    extensions=extensions_to_viewer(media),
                    mixed_extensions=media.extmap_allow_mixed,
                    reduced_size_rtcp=media.rtcp_rsize,
                )
            )
        return specs


def _tagged(description: SessionDescription, medias: tuple[Media, ...]) -> Media:
    """The medium whose transport carries the bundle (RFC 9143 section 7.3.1)."""
    bundle = description.bundle()
    return min(medias, key=lambda media: bundle.index(media.mid) if media.mid in bundle else len(bundle))


def _addresses(candidates: list[str]) -> tuple[tuple[str, int], ...]:
    """The addresses of UDP candidates of the RTP component (RFC 8839 section 5.1), by priority."""
    found: dict[tuple[str, int], int] = {}
    for candidate in candidates:
        match candidate.split():
            case [_, "1", protocol, priority, host, port, "typ", *_] if protocol.lower() == "udp":
                if priority.isdecimal() and port.isdecimal() and int(port) <= 0xFFFF and _is_ip(host):
                    found.setdefault((host, int(port)), int(priority))
    return tuple(sorted(found, key=lambda address: -found[address]))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:  # an mDNS name
        return False
    return True
