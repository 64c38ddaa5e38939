"""The border between Python and the core: it refuses values that do not fit, and a core whose tables differ."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fanwire.fastpath import border, messages, schema
from fanwire.fastpath.messages import (
    AddConsumer,
    AddProducer,
    AddSource,
    BindConsumer,
    CheckPath,
    Codec,
    Command,
    ConsumerSpec,
    CoreConfig,
    Encoding,
    ErrorCode,
    Extension,
    FeedPacket,
    FieldError,
    Kind,
    OpenTransport,
    PayloadType,
    ProducerSpec,
    SendDatagram,
    SetKeys,
    SetLayers,
    SrtpProfile,
)
from fanwire.fastpath.testing.sandbox import Sandbox

VP8 = PayloadType(96, Codec.VP8, 90_000, rtx_pt=97, nack=True)
PRODUCER = ProducerSpec("0", Kind.VIDEO, (VP8,), {Extension.MID: 1}, (Encoding("h", 1, 2),))
CONSUMER = ConsumerSpec("0", Kind.VIDEO, (VP8,), 1, 2, "cname", {Extension.MID: 1})


def add(**changes: Any) -> Command:
    return AddProducer(1, replace(PRODUCER, **changes))


def pt(**changes: Any) -> Command:
    return add(payload_types=(replace(VP8, **changes),))


OUT_OF_RANGE: list[tuple[str, Callable[[], Command]]] = [
    ("extensions", lambda: add(extensions={len(Extension): 1})),
    ("extensions", lambda: add(extensions={-1: 1})),
    ("extensions", lambda: add(extensions={1 << 40: 1})),
    ("extensions", lambda: add(extensions={Extension.MID: 256})),
    ("extensions", lambda: add(extensions={Extension.MID: 0})),
    ("extensions", lambda: add(extensions={Extension.MID: -1})),
    ("payload_types", lambda: add(payload_types=(VP8,) * 17)),
    ("encodings", lambda: add(encodings=(Encoding(),) * 5)),
    ("mid", lambda: add(mid="m" * 33)),
    ("mid", lambda: add(mid="ü" * 17)),
    ("mid", lambda: add(mid="\ud800")),
    ("rid", lambda: add(encodings=(Encoding("r" * 17),))),
    ("ssrc", lambda: add(encodings=(Encoding("h", 1 << 32),))),
    ("ssrc", lambda: add(encodings=(Encoding("h", -1),))),
    ("pt", lambda: pt(pt=256)),
    ("rtx_pt", lambda: pt(rtx_pt=255)),
    ("clock_rate_hz", lambda: pt(clock_rate_hz=1 << 32)),
    ("cname", lambda: AddConsumer(1, replace(CONSUMER, cname="c" * 33), 1, 1, 1)),
    ("first_seq16", lambda: AddConsumer(1, CONSUMER, 1 << 16, 1, 1)),
    ("transport", lambda: AddConsumer(-1, CONSUMER, 1, 1, 1)),
    ("formats", lambda: BindConsumer(1, 1, (0,) * 17)),
    ("formats", lambda: BindConsumer(1, 1, (255,))),
    ("formats", lambda: BindConsumer(1, 1, (256,))),
    ("encoding", lambda: SetLayers(1, 255)),
    ("spatial", lambda: SetLayers(1, 0, spatial=-1)),
    ("ufrag", lambda: OpenTransport("u" * 33, "p" * 22, 1, 1, 1, 1)),
    ("pwd", lambda: CheckPath(1, "ufrag", "p" * 65, ("192.0.2.1", 1), 0, 1)),
    ("remote", lambda: CheckPath(1, "ufrag", "p" * 22, ("192.0.2.1", 65536), 0, 1)),
    ("remote", lambda: CheckPath(1, "ufrag", "p" * 22, ("sfu.example", 1), 0, 1)),
    ("AEAD_AES_128_GCM", lambda: SetKeys(1, SrtpProfile.AEAD_AES_128_GCM, bytes(27), bytes(28))),
]


@pytest.mark.parametrize(("name", "make"), OUT_OF_RANGE)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, make: Callable[[], Command]) -> None:
    with pytest.raises(FieldError, match=rf"^\w+: {name}\b"):
        border.encode(make(), 1)


def test_the_core_itself_refuses_what_fits_but_makes_no_sense() -> None:
    sandbox = Sandbox()
    transport = sandbox.submit(OpenTransport("ufrag", "p" * 22, 1_000_000, 1_000_000, 1, 1), 1).id
    assert sandbox.submit(AddProducer(transport, PRODUCER), 1).error is ErrorCode.DONE
    for spec in (
        replace(PRODUCER, encodings=()),
        replace(PRODUCER, payload_types=(replace(VP8, pt=128),)),
        replace(PRODUCER, payload_types=(replace(VP8, clock_rate_hz=0),)),
        replace(PRODUCER, payload_types=(replace(VP8, codec=len(Codec)),)),  # type: ignore[arg-type]
        replace(PRODUCER, kind=len(Kind)),  # type: ignore[arg-type]
    ):
        assert sandbox.submit(AddProducer(transport, spec), 1).error is ErrorCode.REFUSED, spec
        assert sandbox.submit(AddSource(spec), 1).error is ErrorCode.REFUSED, spec
    assert sandbox.submit(AddProducer(transport + 1, PRODUCER), 1).error is ErrorCode.STALE_ID


def test_the_longest_values_fit() -> None:
    formats = tuple(PayloadType(96 + i, Codec.H264, 90_000) for i in range(16))
    extensions = {extension: 255 - extension for extension in Extension}
    encodings = tuple(Encoding(str(i) * 16, i + 1, 0) for i in range(4))
    sandbox = Sandbox()
    transport = sandbox.submit(OpenTransport("u" * 32, "p" * 64, 1_000_000, 1_000_000, 1, 1), 1).id
    spec = ProducerSpec("m" * 32, Kind.VIDEO, formats, extensions, encodings)
    assert sandbox.submit(AddProducer(transport, spec), 1).error is ErrorCode.DONE
    wanted = ConsumerSpec("m" * 32, Kind.VIDEO, formats, 7, 8, "c" * 32, extensions, mixed_extensions=True)
    consumer = sandbox.submit(AddConsumer(transport, wanted, 1, 1, 1), 1)
    assert consumer.error is ErrorCode.DONE
    assert sandbox.submit(BindConsumer(consumer.id, 0, (None,) * 16), 1).error is ErrorCode.DONE


def test_a_body_follows_the_struct() -> None:
    head, body = border.encode(SendDatagram(7, b"datagram"), 1)
    assert body == b"datagram"
    assert border.encode(FeedPacket(7, b""), 2)[1] == b""
    assert len(head) == len(border.encode(AddProducer(7, PRODUCER), 3)[0])


def test_what_is_no_command_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="not a command"):
        border.encode(VP8, 1)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match=r"^CoreConfig: pool_packets\b"):
        border.encode_config(CoreConfig(pool_packets=1 << 32))


class Fewer(enum.IntEnum):
    AUDIO = 0


class Swapped(enum.IntEnum):
    AUDIO = 1
    VIDEO = 0


@dataclass(frozen=True)
class WithMore(messages.SetConsent):
    more: int = 0


@dataclass(frozen=True)
class OtherType:
    transport: int
    consent_us: str


@dataclass(frozen=True)
class NotOptional:
    consumer: int
    encoding: int
    spatial: int | None = None
    temporal: int | None = None


@dataclass(frozen=True)
class OtherRecord(messages.ProducerSpec):
    encodings: tuple[PayloadType, ...] = field(default=())  # type: ignore[assignment]


DIFFERENT: list[tuple[dict[str, Any], str]] = [
    ({"Kind": Fewer}, "Kind: VIDEO is missing in Python"),
    ({"Kind": Swapped}, "Kind.AUDIO is 1 in Python and 0 in C"),
    ({"Kind": int}, "Kind is not an IntEnum of Python"),
    ({"SetConsent": WithMore}, "SetConsent: more is missing in C"),
    ({"SetConsent": OtherType}, "SetConsent.consent_us is .* in Python and number of 8 bytes"),
    ({"SetConsent": messages.CloseTransport}, "SetConsent: consent_us is missing in Python"),
    ({"SetLayers": NotOptional}, "SetLayers.encoding is .* in Python and optional number of 1 bytes"),
    ({"ProducerSpec": OtherRecord}, "ProducerSpec.encodings is .* in Python and list Encoding"),
    ({"StreamStatistics": None}, "StreamStatistics is not a class of Python"),
    ({"Command": messages.SetConsent | messages.SetKeys}, "Command: AddConsumer is missing in Python"),
]


@pytest.mark.parametrize(("changes", "difference"), DIFFERENT)
def test_a_difference_between_python_and_the_core_is_an_import_error(changes: dict[str, Any], difference: str) -> None:
    with pytest.raises(ImportError, match=difference):
        schema.check(border.describe(), vars(messages) | changes)


def test_the_core_and_python_agree() -> None:
    assert list(schema.differences(border.describe(), vars(messages))) == []
