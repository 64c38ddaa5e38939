"""The border's vocabulary: the commands that the control plane gives a worker, and the events that a worker reports.

Each class has a table of the same fields in C: see fastpath/base/record.h. Importing fastpath/border.pyx compares both.
"""

from __future__ import annotations

import enum
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

_NTP_1970_S = 2_208_988_800  # 1970 in NTP time, which counts from 1900
PYTHON_ONLY = {"python_only": True}  # the metadata of a field that C does not have; in results and events it comes last


class FieldError(ValueError):
    """A field of a command does not fit into the core's record."""


class Kind(enum.IntEnum):
    """The kind of a medium."""

    AUDIO = 0
    VIDEO = 1


class Codec(enum.IntEnum):
    """A payload format that the core knows how to forward. RED is redundant audio (RFC 2198)."""

    OPUS = 0
    RED = 1
    VP8 = 2
    VP9 = 3
    H264 = 4
    H265 = 5
    AV1 = 6


class Extension(enum.IntEnum):
    """An RTP header extension that the core knows. The URIs are in `control/session/sdp.py`."""

    MID = 0
    RID = 1
    REPAIRED_RID = 2
    ABS_SEND_TIME = 3
    TRANSPORT_CC = 4
    AUDIO_LEVEL = 5
    VIDEO_ORIENTATION = 6
    PLAYOUT_DELAY = 7
    VIDEO_CONTENT_TYPE = 8
    VIDEO_TIMING = 9
    COLOR_SPACE = 10
    ABS_CAPTURE_TIME = 11
    DEPENDENCY_DESCRIPTOR = 12
    LAYERS_ALLOCATION = 13
    TRANSMISSION_OFFSET = 14
    CSRC_AUDIO_LEVEL = 15


class SrtpProfile(enum.IntEnum):
    """A DTLS-SRTP protection profile, by its IANA number (RFC 5764 section 4.1.2, RFC 7714 section 14.2)."""

    AES128_CM_SHA1_80 = 0x0001
    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008

    @property
    def key_bytes(self) -> int:
        """Bytes of one master key."""
        return 32 if self is SrtpProfile.AEAD_AES_256_GCM else 16

    @property
    def salt_bytes(self) -> int:
        """Bytes of one master salt."""
        return 14 if self is SrtpProfile.AES128_CM_SHA1_80 else 12


class TransportState(enum.IntEnum):
    """The state of a transport. CLOSED is final: the core has freed the transport and its producers and consumers."""

    NEW = 0
    CHECKED = 1  # an authenticated STUN check has arrived: there is a path
    KEYED = 2  # SRTP keys are in place as well: media flows
    CLOSED = 3


class CloseReason(enum.IntEnum):
    """Why a transport is CLOSED."""

    NONE = 0
    REQUESTED = 1
    NEVER_CONNECTED = 2
    CONSENT_LOST = 3
    REPLACED = 4  # a newer transport's handshake completed over the same path


@dataclass(frozen=True, slots=True)
class PayloadType:
    """One negotiated payload type (0-127), its RTX payload type and its RTCP feedback.

    `format` tells formats of one codec apart that must not be mixed (H264 profile and packetization mode, VP9 profile
    and so on); two payload types carry the same thing where codec and format are equal.
    """

    pt: int
    codec: Codec
    clock_rate_hz: int
    format: str = field(default="", metadata=PYTHON_ONLY)
    rtx_pt: int | None = None
    nack: bool = False
    pli: bool = False
    fir: bool = False
    transport_cc: bool = False
    remb: bool = False


@dataclass(frozen=True, slots=True)
class Encoding:
    """One encoding of a producer. An SSRC of 0 is learned from the MID and RID extensions, or from the payload type."""

    rid: str = ""
    ssrc: int = 0
    rtx_ssrc: int = 0


@dataclass(frozen=True, slots=True)
class ProducerSpec:
    """One medium that a transport sends to the server; encodings in the order of the SDP (at most 4)."""

    mid: str
    kind: Kind
    payload_types: tuple[PayloadType, ...]
    extensions: Mapping[Extension, int] = field(default_factory=dict)
    encodings: tuple[Encoding, ...] = (Encoding(),)
    reduced_size_rtcp: bool = False


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """One medium that the server sends on a transport, under the server's own SSRCs (rtx_ssrc 0: no RTX)."""

    mid: str
    kind: Kind
    payload_types: tuple[PayloadType, ...]
    ssrc: int
    rtx_ssrc: int
    cname: str
    extensions: Mapping[Extension, int] = field(default_factory=dict)
    mixed_extensions: bool = False  # a=extmap-allow-mixed: the two-byte form may be used
    reduced_size_rtcp: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """The 5-tuple in use: the peer's address, the local address and the protocol."""

    remote: tuple[str, int]
    local: tuple[str, int]
    protocol: Literal["udp", "tcp"] = "udp"


@dataclass(frozen=True, slots=True)
class TransportChange:
    """The state of a transport. A later change replaces an earlier one that was not read yet.

    `kinds_with_media` are those of its producers that a viewer could decode: a keyframe has come, or a packet of sound.
    """

    transport: int
    state: TransportState
    reason: CloseReason
    path: Path | None
    kinds_with_media: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Punt:
    """A datagram from a transport's validated path that is for Python: DTLS."""

    transport: int
    data: bytes


class ErrorCode(enum.IntEnum):
    """How a command ended."""

    DONE = 0
    STALE_ID = 1  # its transport, producer or consumer is gone
    LIMIT = 2  # a table is full or memory is short
    DUPLICATE = 3  # the ufrag, SSRC or key is in use
    REFUSED = 4  # a value is out of its range


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the command with this ticket; `id` names the object that was made."""

    ticket: int
    id: int
    error: ErrorCode
    statistics: TransportStatistics | None = field(default=None, metadata=PYTHON_ONLY)


class Size(NamedTuple):
    """The size of a picture in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """One encoding of a producer, or one consumer, whose `lost` and `jitter_ticks` are as the viewer reports."""

    id: int
    outbound: bool
    kind: Kind
    codec: Codec
    encoding: int | None  # outbound: the encoding that is forwarded
    target: int | None  # outbound: the encoding that is selected next
    spatial: int | None  # outbound: highest layers that are forwarded, 7: all; inbound: highest layers
    temporal: int | None  # that are received, None where packets name none
    target_spatial: int  # outbound: the highest layers that are selected next
    target_temporal: int
    sizes: tuple[Size, ...]  # inbound: of the spatial layers whose size the stream names
    ssrc: int
    packets: int
    bytes: int
    repaired_packets: int
    recovered_packets: int  # inbound: those of `lost` that a retransmission has replaced
    lost: int
    fraction_lost: float
    jitter_ticks: int
    clock_rate_hz: int
    rtt_us: int
    nacks: int
    plis: int
    keyframes: int
    width: int
    height: int
    frames: int  # inbound video: decodable frames
    freezes: int  # of more than half a second
    frozen_us: int
    still_us: int  # since the last frame
    longest_still_us: int
    capture_delay_us: int | None  # from the sender's wall clock at capture, counted from 1900, to the worker's clock


@dataclass(frozen=True, slots=True)
class TransportStatistics:
    """Statistics of one transport and its streams. Names follow the W3C's WebRTC statistics."""

    id: int
    state: TransportState
    rtt_us: int
    remb_bps: int
    streams: tuple[StreamStatistics, ...] = field(default=(), metadata=PYTHON_ONLY)


@dataclass(frozen=True, slots=True)
class Latency:
    """The time of RTP packets in a worker, from the arrival of the first packet of their batch to the send call.

    `counts[i]` packets took up to `bounds_us[i]` and longer than the bound before; the last count has no bound.
    """

    bounds_us: tuple[int, ...]
    counts: tuple[int, ...]
    sum_us: int


def ntp_at_zero() -> int:
    """The NTP time (32.32 fixed point seconds since 1900) at which the monotonic clock was 0."""
    return ((time.time_ns() - time.monotonic_ns() + _NTP_1970_S * 1_000_000_000) << 32) // 1_000_000_000


@dataclass(frozen=True, slots=True)
class CoreConfig:
    """The sizes and times of one worker's core.

    `pool_packets` of received media are kept, at least 1024. A consumer starts at a keyframe no older than
    `instant_join_us` (0: it starts live). Media is held for up to `coalesce_us` to be sent in larger batches.
    """

    pool_packets: int = 16384
    max_transports: int = 65536
    max_ssrcs: int = 64  # of one transport, inbound
    instant_join_us: int = 3_000_000
    coalesce_us: int = 0
    max_gso_segments: int = 128  # in one message, as far as the sockets allow; 1: no GSO
    ntp_at_zero: int = field(default_factory=ntp_at_zero)
    hash_seed: int = field(default_factory=lambda: secrets.randbits(64))  # of tables whose keys peers choose
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))  # STUN transactions are derived from it


@dataclass(frozen=True, slots=True)
class OpenTransport:
    """Makes a transport with these local ICE credentials; the result's id names it.

    The transport closes when no authenticated packet arrives for `consent_us`, or when it has no keys after
    `connect_us`. `publish_bps` is the REMB value for a peer that publishes without transport-cc. `sctp_records_per_s`
    (0: no m=application was negotiated) and `sctp_bytes_per_s` are the budget of the peer's DTLS application data.
    `peer_ufrag` and `peer_pwd` are the peer's credentials, for the validation of its paths. They are ignored if longer
    than 32 and 64 bytes; then, as without them, media or the DTLS handshake validates a path.
    """

    ufrag: str
    pwd: str
    consent_us: int
    connect_us: int
    rtcp_ssrc: int
    first_transport_cc: int
    publish_bps: int = 1_000_000_000
    sctp_records_per_s: int = 0
    sctp_bytes_per_s: int = 0
    peer_ufrag: str = ""
    peer_pwd: str = ""


@dataclass(frozen=True, slots=True)
class RestartIce:
    """Adds new local credentials; the old ones go when the new ones are first used. Replaces those of the peer."""

    transport: int
    ufrag: str
    pwd: str
    peer_ufrag: str = ""
    peer_pwd: str = ""


@dataclass(frozen=True, slots=True)
class CheckPath:
    """Starts ICE checks of a server's address in the controlling role. A second call replaces the first.

    `ufrag` and `pwd` are the server's, `remote` is its address, `port` numbers the worker's own ports from 1 (0: it
    asks from its first socket), and `tie_breaker` is a random number of 64 bits.
    """

    transport: int
    ufrag: str
    pwd: str
    remote: tuple[str, int]
    port: int
    tie_breaker: int


@dataclass(frozen=True, slots=True)
class SetKeys:
    """Gives a transport its SRTP keys, once: master key then master salt each way."""

    transport: int
    profile: SrtpProfile
    local: bytes
    remote: bytes

    def __post_init__(self) -> None:
        """Raise FieldError where a key has another length than the profile's."""
        length = self.profile.key_bytes + self.profile.salt_bytes
        if len(self.local) != length or len(self.remote) != length:
            raise FieldError(f"SetKeys: {self.profile.name} takes {length} bytes of key and salt each way")


@dataclass(frozen=True, slots=True)
class SetConsent:
    """Changes how long a transport lives without an authenticated packet."""

    transport: int
    consent_us: int


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Sends a datagram over a transport's path. There is no result; without a path the datagram is dropped."""

    transport: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseTransport:
    """Closes a transport, or frees the id of one that has closed by itself."""

    transport: int


@dataclass(frozen=True, slots=True)
class AddProducer:
    """Makes a producer on a transport; the result's id names it."""

    transport: int
    spec: ProducerSpec


@dataclass(frozen=True, slots=True)
class AddRelayedProducer:
    """Makes the copy of a producer of another worker, which relays its packets; the result's id names it."""

    home_worker: int
    home_id: int
    spec: ProducerSpec


@dataclass(frozen=True, slots=True)
class AddSource:
    """Makes a producer whose packets come from FeedPacket and FeedReport; the result's id names it."""

    spec: ProducerSpec


@dataclass(frozen=True, slots=True)
class FeedPacket:
    """Gives a source its next RTP packet, unencrypted, with the payload types of its spec. There is no result."""

    producer: int
    packet: bytes


@dataclass(frozen=True, slots=True)
class FeedReport:
    """Maps a source's clock: `ntp` (32.32 fixed point seconds since 1900) corresponds to this RTP timestamp."""

    producer: int
    ntp: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class RemoveProducer:
    """Removes a producer and unbinds its consumers."""

    producer: int


@dataclass(frozen=True, slots=True)
class AddRelayTarget:
    """Relays a producer's packets to its copy on another worker from now on."""

    producer: int
    worker: int
    copy_id: int


@dataclass(frozen=True, slots=True)
class RemoveRelayTarget:
    """Ends the relay to a copy."""

    producer: int
    worker: int
    copy_id: int


@dataclass(frozen=True, slots=True)
class AddConsumer:
    """Makes a consumer on a transport, bound to nothing; the result's id names it.

    Sequence numbers start in 1 to 0x7fff (RFC 3711 section 3.3.1).
    """

    transport: int
    spec: ConsumerSpec
    first_seq16: int
    first_rtx_seq16: int
    first_timestamp: int


@dataclass(frozen=True, slots=True)
class BindConsumer:
    """Binds a consumer to a producer of the same worker (0: none). Sequence numbers and timestamps continue.

    `formats[i]` is the index of the consumer's payload type for the producer's i-th, or None. `same_clock`: one device
    made the timestamps of this producer and of the previous one.
    """

    consumer: int
    producer: int
    formats: tuple[int | None, ...] = ()
    same_clock: bool = False


@dataclass(frozen=True, slots=True)
class SetLayers:
    """Sets the preferred encoding of a consumer, by its index, and the highest layers (0-7) that it receives.

    None means no limit. The next BindConsumer resets it. While the preferred encoding sends nothing, the highest one
    that sends is forwarded. VP8 and VP9 have temporal layers, VP9 has spatial ones.
    """

    consumer: int
    encoding: int | None
    spatial: int | None = None
    temporal: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveConsumer:
    """Removes a consumer and sends its viewer an RTCP BYE."""

    consumer: int


@dataclass(frozen=True, slots=True)
class ReadStatistics:
    """Reads a transport's statistics."""

    transport: int


Command = (
    OpenTransport
    | RestartIce
    | CheckPath
    | SetKeys
    | SetConsent
    | SendDatagram
    | CloseTransport
    | AddProducer
    | AddRelayedProducer
    | AddSource
    | FeedPacket
    | FeedReport
    | RemoveProducer
    | AddRelayTarget
    | RemoveRelayTarget
    | AddConsumer
    | BindConsumer
    | SetLayers
    | RemoveConsumer
    | ReadStatistics
)
Event = Result | Punt | TransportChange
