"""Python bindings of `wire/`; field names and units are those of the C headers."""

from collections.abc import Callable, Sequence
from typing import TypedDict, type_check_only

DATAGRAMS: dict[int, str]
STUN_STATUSES: dict[int, str]
TWCC_MAX_PACKETS: int

@type_check_only
class Stun(TypedDict):
    type: int
    transaction: bytes
    username: bytes | None
    integrity: bytes | None
    covered: bytes | None  # bytes that the HMAC covers; None without MESSAGE-INTEGRITY
    use_candidate: bool
    controlling: bool
    controlled: bool
    tie_breaker: int
    error_code: int
    unknown_type: int

@type_check_only
class Rtp(TypedDict):
    ssrc: int
    timestamp: int
    seq16: int
    ext_profile: int
    ext_offset: int
    ext_len: int
    header_len: int
    payload_len: int
    padding_len: int
    payload_type: int
    marker: bool
    has_padding: bool

@type_check_only
class SenderInfo(TypedDict):
    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int

@type_check_only
class ReportBlock(TypedDict):
    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_seq: int
    jitter_ticks: int
    last_sr: int
    delay_sr: int

@type_check_only
class Twcc(TypedDict):
    base_seq16: int
    count: int
    feedback_count: int
    reference_us: int
    arrivals_us: list[int | None]  # None: lost

@type_check_only
class Rtcp(TypedDict):
    type: int
    count: int
    data: bytes
    sender_info: SenderInfo | None
    feedback: tuple[int, int] | None  # SSRCs of the sender and of the media
    blocks: list[ReportBlock]
    nack: list[tuple[int, int]]  # first lost, mask of the next 16
    fir: list[tuple[int, int]]  # SSRC, command sequence number
    remb: int | None  # bit/s
    bye: list[int]
    twcc: Twcc | None

@type_check_only
class Frame(TypedDict):
    start: bool
    end: bool
    keyframe: bool
    has_layers: bool
    from_descriptor: bool
    layer_sync: bool
    intra: bool
    independent_layers: bool
    prefixed: bool
    loose: bool
    switch_up: bool
    ids_close_up: bool
    temporal: int
    spatial: int
    up_spatial: int
    width: int
    height: int
    has_picture_id: bool
    has_tl0: bool
    has_keyidx: bool
    picture_id_bits: int
    picture_id: int
    tl0_pic_idx: int
    picture_id_offset: int
    tl0_offset: int
    refs_offset: int
    ref_count: int
    keyidx: int
    keyidx_offset: int
    size_count: int
    sizes_offset: int

@type_check_only
class Dependency(TypedDict):
    start_of_frame: bool
    end_of_frame: bool
    template_id: int
    frame_number: int
    has_structure: bool

@type_check_only
class DependencyFrame(TypedDict):
    spatial: int
    temporal: int
    refers: bool
    dtis: str  # -, D, S or R for each decode target (AV1 RTP specification, appendix A)
    active: int | None
    targets: list[tuple[int, int]]  # the highest spatial and temporal layer of each decode target
    sizes: list[tuple[int, int]]  # of the spatial layers

@type_check_only
class Red(TypedDict):
    headers_len: int
    primary_offset: int
    primary_pt: int

def demux(data: bytes) -> str: ...
def crc32(data: bytes) -> int: ...
def stun_parse(data: bytes) -> tuple[str, Stun | None]:
    """Returns the status, and the fields read unless the status is "malformed"."""

def stun_request(
    transaction: bytes,
    username: bytes,
    tie_breaker: int,
    priority: int,
    controlling: bool,
    sign: Callable[[bytes], bytes],
) -> bytes: ...
def stun_success(transaction: bytes, ip: bytes, port: int, sign: Callable[[bytes], bytes]) -> bytes: ...
def stun_error(transaction: bytes, code: int, unknown_type: int, sign: Callable[[bytes], bytes]) -> bytes: ...
def rtp_header(packet: bytes) -> Rtp | None: ...
def rtp_parse(packet: bytes) -> Rtp | None: ...
def rtp_write(
    *,
    padding: bool,
    extension: bool,
    marker: bool,
    payload_type: int,
    seq16: int,
    timestamp: int,
    ssrc: int,
) -> bytes: ...
def ext_read(packet: bytes) -> list[tuple[int, bytes]] | None:
    """Returns id and data of each element of a packet; None if its header is not RTP."""

def ext_write(elements: Sequence[tuple[int, bytes]], two_byte: bool, cap: int = 2048) -> tuple[bytes, list[bool]]:
    """Returns the block, and the elements written into it."""

def rtcp_parse(data: bytes) -> tuple[list[Rtcp], bool]:
    """Returns the packets of a compound up to the first error, and true if there was no error."""

class RtcpWriter:
    """Writes an RTCP compound into a buffer of `cap` bytes; bytes() returns it."""

    def __init__(self, cap: int = 1200) -> None: ...
    def __bytes__(self) -> bytes: ...
    @property
    def overflow(self) -> bool: ...
    def sr(self, info: SenderInfo) -> None: ...
    def rr(self, sender_ssrc: int, blocks: Sequence[ReportBlock]) -> None: ...
    def sdes(self, ssrcs: Sequence[int], cname: bytes) -> None: ...
    def bye(self, ssrcs: Sequence[int]) -> None: ...
    def nack(self, sender_ssrc: int, media_ssrc: int, seqs: Sequence[int]) -> None: ...
    def pli(self, sender_ssrc: int, media_ssrc: int) -> None: ...
    def fir(self, sender_ssrc: int, media_ssrc: int, command_seq: int) -> None: ...
    def remb(self, sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int]) -> None: ...
    def twcc(
        self,
        sender_ssrc: int,
        media_ssrc: int,
        base_seq16: int,
        feedback_count: int,
        arrivals_us: Sequence[int | None],
    ) -> int:
        """Returns the number of statuses written; arrivals beyond TWCC_MAX_PACKETS are ignored."""

def vp8(payload: bytes) -> Frame | None: ...
def vp9(payload: bytes) -> Frame | None: ...
def h264(payload: bytes) -> Frame | None: ...
def h265(payload: bytes) -> Frame | None: ...
def av1(payload: bytes) -> Frame | None: ...
def dd(data: bytes) -> Dependency | None: ...
def dd_frame(data: bytes, structure: bytes) -> DependencyFrame | None:
    """Reads a descriptor with the structure carried by the descriptor `structure`; None if either is malformed."""

def dd_tie(data: bytes, structure: bytes) -> bytes | None:
    """Adds a reference to the previous frame; None if the descriptor has it already or cannot carry it."""

def red(payload: bytes) -> Red | None: ...
