"""Answers offers: an SDP answer for the peer, and specs of its producers or consumers for the engine.

The server is ICE-lite and accepts one audio and one video medium, bundled on one transport, with every payload type
that it can forward. It refuses an offer to publish that has audio or video which it cannot accept, because the
publisher would not notice a rejected medium (RFC 9725). It rejects other media with port 0 (RFC 3264
section 6, RFC 9143, RFC 9429).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..media.engine import ConsumerSpec, Extension, Kind, PayloadType, ProducerSpec
from .bundle import (
    LocalTransport,
    NegotiationError,
    RemoteTransport,
    accept,
    assemble,
    remote_transport,
)
from .codecs import (
    SUPPORTED,
    describe,
    describe_offered,
    match_payload_types,
    supported_payload_types,
    write_payload_types,
)
from .description import Direction, Media, SessionDescription, SsrcGroup
from .encodings import accept_encodings
from .extensions import extensions_from_publisher, extensions_to_viewer, write_extensions

__all__ = [
    "Agreement",
    "LocalTransport",
    "NegotiationError",
    "PublishAgreement",
    "Published",
    "RemoteTransport",
    "Subscribed",
    "agree",
    "agree_publish",
    "match_payload_types",
    "remote_transport",
]

_KINDS = {"audio": Kind.AUDIO, "video": Kind.VIDEO}


@dataclass(frozen=True, slots=True)
class Published:
    """The answer to a publisher, and the producers that it will send. `dtls_client` is the server's DTLS role."""

    sdp: str
    producers: tuple[ProducerSpec, ...]
    dtls_client: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The answer to a viewer, and the consumers that it will receive. `dtls_client` is the server's DTLS role."""

    sdp: str
    consumers: tuple[ConsumerSpec, ...]
    dtls_client: bool


@dataclass(frozen=True, slots=True)
class _Usable:
    """An offered medium that the server accepts, and the accepted formats."""

    index: int
    media: Media
    payload_types: tuple[PayloadType, ...]


@dataclass(frozen=True, slots=True)
class _Accepted:
    """An accepted medium of all viewers with equal offers, and its index in their offers."""

    index: int
    kind: Kind
    answer: Media
    payload_types: tuple[PayloadType, ...]
    extensions: dict[Extension, int]

    def consumer(self, cname: str, ssrc_factory: Callable[[], int]) -> ConsumerSpec:
        answer, payload_types = self.answer, self.payload_types
        retransmits = any(accepted.nack and accepted.rtx_pt is not None for accepted in payload_types)
        return ConsumerSpec(
            answer.mid,
            self.kind,
            payload_types,
            ssrc_factory(),
            ssrc_factory() if retransmits else 0,
            cname,
            self.extensions,
            answer.extmap_allow_mixed,
            answer.rtcp_rsize,
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement between one kind of offer and one publisher's media, for all viewers with equal offers.

    The sections of the answer are overwritten for each viewer.
    """

    offer: SessionDescription
    accepted: tuple[_Accepted, ...]
    dtls_client: bool

    def answer(
        self, local: LocalTransport, *, stream: str, cname: str, ssrc_factory: Callable[[], int], session_id: int
    ) -> Subscribed:
        """The answer to one viewer.

        `stream` (a token of at most 58 characters) names the media stream, `cname` the RTCP endpoint; `ssrc_factory`
        gives SSRCs that are unique on the transport; `session_id` (63 bits) is for the o= line.
        """
        consumers = tuple(one.consumer(cname, ssrc_factory) for one in self.accepted)
        for one, consumer in zip(self.accepted, consumers, strict=True):
            _write_sources(one.answer, consumer, f"{stream} {stream}-{one.answer.kind}")
        answers = {one.index: one.answer for one in self.accepted}
        sdp = assemble(self.offer, local, answers, dtls_client=self.dtls_client, session_id=session_id).render()
        return Subscribed(sdp, consumers, self.dtls_client)


@dataclass(frozen=True, slots=True)
class PublishAgreement:
    """The media of an offer to publish that the server accepts."""

    offer: SessionDescription
    remote: RemoteTransport
    producers: tuple[ProducerSpec, ...]
    _answers: dict[int, Media]

    def answer(self, local: LocalTransport, *, session_id: int) -> Published:
        """The answer. `session_id` (63 bits) is for the o= line."""
        dtls_client = self.remote.dtls_client
        sdp = assemble(self.offer, local, self._answers, dtls_client=dtls_client, session_id=session_id).render()
        return Published(sdp, self.producers, dtls_client)


def agree_publish(offer: SessionDescription) -> PublishAgreement:
    """Accept the media of an offer to publish.

    Raises NegotiationError unless the server can forward all its audio and video, SdpError for a malformed line that is
    needed.
    """
    remote = remote_transport(offer)
    answers: dict[int, Media] = {}
    producers = []
    sending = "The offer to publish sends nothing: its media must be a=sendonly or a=sendrecv."
    flowing = _flowing(offer, lambda direction: direction.sends, sending)
    usable_medias = _usable(flowing)
    _refuse_partial([media for index, media in flowing if index not in {one.index for one in usable_medias.values()}])
    for kind, usable in usable_medias.items():
        media, payload_types = usable.media, usable.payload_types
        answer = answers[usable.index] = accept(media, Direction.RECVONLY)
        extensions = extensions_from_publisher(media, payload_types)
        write_payload_types(answer, media, payload_types)
        write_extensions(answer, media, extensions)
        encodings = accept_encodings(media, answer, payload_types, extensions)
        producers.append(ProducerSpec(media.mid, kind, payload_types, extensions, encodings, media.rtcp_rsize))
    return PublishAgreement(offer, remote, tuple(producers), answers)


def agree(offer: SessionDescription, sources: Iterable[ProducerSpec]) -> Agreement:
    """Match an offer to watch with `sources`, the media that the publisher sends now.

    Media without a source and other codecs are accepted as well, because the publisher may reconnect with them. Raises
    NegotiationError if the viewer can receive nothing, or not the video that is sent.
    """
    remote = remote_transport(offer)
    sent = {source.kind: source for source in sources}
    accepted = []
    receiving = "The offer to watch receives nothing: its media must be a=recvonly or a=sendrecv."
    for kind, usable in _usable(_flowing(offer, lambda direction: direction.receives, receiving)).items():
        media = usable.media
        payload_types = _best_first(usable.payload_types, sent.get(kind))
        answer = accept(media, Direction.SENDONLY)
        extensions = extensions_to_viewer(media)
        write_payload_types(answer, media, payload_types)
        write_extensions(answer, media, extensions)
        accepted.append(_Accepted(usable.index, kind, answer, payload_types, extensions))
    return Agreement(offer, tuple(accepted), remote.dtls_client)


def _flowing(
    offer: SessionDescription, flows: Callable[[Direction], bool], nothing_flows: str
) -> list[tuple[int, Media]]:
    """The audio and video of this direction, each with its index in the offer."""
    flowing = [
        (index, media)
        for index, media in enumerate(offer.medias)
        if media.kind in _KINDS and not media.rejected and flows(media.direction)
    ]
    if not flowing:
        raise NegotiationError(nothing_flows)
    return flowing


def _usable(flowing: list[tuple[int, Media]]) -> dict[Kind, _Usable]:
    """The first medium of each kind with a supported format, in the order of the offer."""
    found: dict[Kind, _Usable] = {}
    for index, media in flowing:
        if _KINDS[media.kind] not in found and (payload_types := supported_payload_types(media)):
            found[_KINDS[media.kind]] = _Usable(index, media, payload_types)
    if not found:
        for _, media in flowing:
            media.require("rtpmap", "fmtp")
        raise NegotiationError(f"No codec in common. The offer has: {_offered([media for _, media in flowing])}")
    return found


def _refuse_partial(refused: list[Media]) -> None:
    """Raises NegotiationError for media that the server would have to reject."""
    for media in refused:
        if supported_payload_types(media):
            raise NegotiationError(
                f"The offer sends more than one {media.kind}: a session takes one audio and one video. "
                "Send the others in sessions of their own."
            )
        media.require("rtpmap", "fmtp")
    if refused:
        raise NegotiationError(
            f"Not all of the offer can be taken. It sends {_offered(refused)} Choose one of these, or leave it out."
        )


def _offered(medias: list[Media]) -> str:
    """The offered formats of unsupported media, and the supported ones, for messages."""
    offered = "; ".join(f"{media.kind} {describe_offered(media)}" for media in medias)
    supported = "; ".join(f"{kind} {SUPPORTED[kind]}" for kind in dict.fromkeys(media.kind for media in medias))
    return f"{offered}. The server forwards: {supported}."


def _best_first(payload_types: tuple[PayloadType, ...], source: ProducerSpec | None) -> tuple[PayloadType, ...]:
    """The viewer's payload types: first those that the publisher uses, in the publisher's order."""
    if source is None:
        return payload_types
    formats = [(sent.codec, sent.format) for sent in source.payload_types]
    playable = [(offered.codec, offered.format) for offered in payload_types]
    if source.kind is Kind.VIDEO and formats[0] not in playable:
        offered = ", ".join(dict.fromkeys(map(describe, payload_types)))
        raise NegotiationError(
            f"The publisher sends {describe(source.payload_types[0])}, and the offer can receive only {offered}."
        )
    return tuple(
        sorted(
            payload_types,
            key=lambda one: formats.index(key) if (key := (one.codec, one.format)) in formats else len(formats),
        )
    )


def _write_sources(answer: Media, consumer: ConsumerSpec, msid: str) -> None:
    """Writes the track (RFC 8830) and the SSRCs (RFC 5576) that the server sends."""
    answer.msids = [msid]
    ssrcs = (consumer.ssrc, consumer.rtx_ssrc) if consumer.rtx_ssrc else (consumer.ssrc,)
    answer.ssrcs = {ssrc: {"cname": consumer.cname, "msid": msid} for ssrc in ssrcs}
    if consumer.rtx_ssrc:
        answer.ssrc_groups = [SsrcGroup("FID", ssrcs)]
