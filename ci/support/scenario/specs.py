"""Media descriptions in the form that negotiation makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fanwire.fastpath.messages import Codec, ConsumerSpec, Encoding, Extension, Kind, PayloadType, ProducerSpec

VP8 = PayloadType(96, Codec.VP8, 90_000, rtx_pt=97, nack=True, pli=True, fir=True, transport_cc=True)
H264 = PayloadType(102, Codec.H264, 90_000, rtx_pt=103, nack=True, pli=True, fir=True, transport_cc=True)
AV1 = PayloadType(45, Codec.AV1, 90_000, rtx_pt=46, nack=True, pli=True, fir=True, transport_cc=True)
OPUS = PayloadType(111, Codec.OPUS, 48_000, transport_cc=True)
RED = PayloadType(63, Codec.RED, 48_000, transport_cc=True)

PUBLISHED_EXTENSIONS = {Extension.MID: 4, Extension.TRANSPORT_CC: 3, Extension.ABS_SEND_TIME: 2}
WATCHED_EXTENSIONS = {Extension.MID: 1, Extension.TRANSPORT_CC: 5, Extension.ABS_SEND_TIME: 9}


def producer(
    *payload_types: PayloadType,
    mid: str = "v",
    encodings: Sequence[Encoding] = (Encoding(),),
    extensions: Mapping[Extension, int] | None = None,
) -> ProducerSpec:
    kind = Kind.AUDIO if payload_types[0].clock_rate_hz == 48_000 else Kind.VIDEO
    return ProducerSpec(
        mid=mid,
        kind=kind,
        payload_types=payload_types,
        extensions=PUBLISHED_EXTENSIONS if extensions is None else extensions,
        encodings=tuple(encodings),
        reduced_size_rtcp=True,
    )


def consumer(
    *payload_types: PayloadType,
    ssrc: int,
    rtx_ssrc: int = 0,
    mid: str = "0",
    extensions: Mapping[Extension, int] | None = None,
    mixed_extensions: bool = True,
) -> ConsumerSpec:
    """A viewer's payload types, which differ from the publisher's."""
    return ConsumerSpec(
        mid=mid,
        kind=Kind.AUDIO if payload_types[0].clock_rate_hz == 48_000 else Kind.VIDEO,
        payload_types=tuple(renumbered(pt, rtx=rtx_ssrc != 0) for pt in payload_types),
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        cname="a-stream",
        extensions=WATCHED_EXTENSIONS if extensions is None else extensions,
        mixed_extensions=mixed_extensions,
    )


def renumbered(pt: PayloadType, *, rtx: bool) -> PayloadType:
    shift = 10 if pt.pt >= 96 else -10  # 64 to 95 would look like RTCP (RFC 5761 section 4)
    return replace(pt, pt=pt.pt + shift, rtx_pt=pt.rtx_pt + shift if rtx and pt.rtx_pt is not None else None)


def formats(source: ProducerSpec, sink: ConsumerSpec) -> tuple[int | None, ...]:
    """For each payload type of the producer, the index of the consumer's for the same codec. RED maps to Opus if the
    consumer has no RED."""
    codecs = [pt.codec for pt in sink.payload_types]

    def match(codec: Codec) -> int | None:
        if codec is Codec.RED and Codec.RED not in codecs:
            codec = Codec.OPUS
        return codecs.index(codec) if codec in codecs else None

    return tuple(match(pt.codec) for pt in source.payload_types)
