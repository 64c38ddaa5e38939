"""Makes the inputs that fuzzing starts from: `seeds.py DIRECTORY` fills DIRECTORY/<target>/ for every fuzz target."""

import hashlib
import hmac
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from fanwire.fastpath.testing import probes

TRANSACTION = bytes(range(12))
BLOCK: "probes.ReportBlock" = {
    "ssrc": 7,
    "fraction_lost": 12,
    "cumulative_lost": -3,
    "highest_seq": 0x1FFFE,
    "jitter_ticks": 90,
    "last_sr": 0xABCD0000,
    "delay_sr": 655,
}
CHROMIUM_L3T3 = bytes.fromhex(
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac128250"
    "3157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d"
)
VP8_KEYFRAME = bytes.fromhex("50420f9d012a") + struct.pack("<HH", 1280, 720)


def sign(covered: bytes) -> bytes:
    return hmac.digest(b"password", covered, hashlib.sha1)


def pack_bits(*fields: tuple[int, int]) -> bytes:
    """Packs (value, bits) fields, then a stop bit and zeros up to a whole byte."""
    text = "".join(f"{value:0{width}b}" for value, width in fields if width) + "1"
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def ue(value: int) -> tuple[int, int]:
    """An Exp-Golomb number as a field of pack_bits."""
    return value + 1, 2 * (value + 1).bit_length() - 1


def stun() -> Iterator[bytes]:
    yield probes.stun_success(TRANSACTION, bytes(4), 5000, sign)
    yield probes.stun_success(TRANSACTION, bytes(16), 5000, sign)
    yield probes.stun_error(TRANSACTION, 420, 0x7FF1, sign)
    yield probes.stun_error(TRANSACTION, 487, 0, sign)
    yield probes.stun_request(TRANSACTION, b"servers:callers", 1 << 63, 7, True, sign)


def rtp(extension: bytes = b"", csrcs: int = 0, padding: int = 0) -> bytes:
    flags = 0x80 | csrcs | (0x10 if extension else 0) | (0x20 if padding else 0)
    head = struct.pack("!BBHII", flags, 0x80 | 96, 65535, 90_000, 0xCAFE) + bytes(4 * csrcs)
    return head + extension + b"payload" + bytes(padding - 1 if padding else 0) + bytes([padding] if padding else [])


def parameter_sets() -> Iterator[bytes]:
    """A byte for the codec, then payloads behind their length: single NAL units, aggregates and other packets."""
    sps, pps, other = b"\x67\x42\xe0\x1f\x8d\x68", b"\x68\xce\x3c\x80", b"\x68\x4e\x3c\x80"
    aggregate = b"\x78" + b"".join(struct.pack("!H", len(nal)) + nal for nal in (sps, pps, other))
    yield b"\0" + b"".join(bytes([len(nal)]) + nal for nal in (sps, pps, other, aggregate, b"\x65\x88"))
    sets = [bytes([kind << 1, 1, 0x40 + kind]) + b"\x01\x60" for kind in (32, 33, 34)]
    aggregate = b"\x60\x01" + b"".join(struct.pack("!H", len(nal)) + nal for nal in sets)
    yield b"\1" + b"".join(bytes([len(nal)]) + nal for nal in (*sets, aggregate))
    yield b"\0" + (b"\xf0" + b"\x68" + bytes([0x40]) * 0xEF) * 6


def ext() -> Iterator[bytes]:
    elements = [(1, b"\x10"), (2, b"abc"), (3, b"\x00\x2a"), (4, bytes(16))]
    for two_byte in (False, True):
        yield rtp(probes.ext_write(elements, two_byte)[0])
    yield rtp(probes.ext_write([(200, b""), (255, bytes(40))], True)[0])


def plain_rtp() -> Iterator[bytes]:
    yield rtp()
    yield rtp(csrcs=15, padding=9)
    yield from ext()


def rtcp() -> Iterator[bytes]:
    writer = probes.RtcpWriter()
    writer.sr({"ssrc": 1, "ntp": 2 << 32, "timestamp": 3, "packets": 4, "octets": 5})
    writer.sdes([1], b"somebody")
    yield bytes(writer)
    writer = probes.RtcpWriter()
    writer.rr(1, [BLOCK, BLOCK])
    writer.remb(1, 2_500_000, [7, 8])
    writer.bye([1, 2])
    yield bytes(writer)
    writer = probes.RtcpWriter()
    writer.nack(1, 2, [65530, 65535, 3, 40, 41])
    writer.pli(1, 2)
    writer.fir(1, 2, 3)
    yield bytes(writer)
    yield struct.pack("!BBHI", 0xA1, 203, 2, 7) + b"\0\0\0\4"


def twcc() -> Iterator[bytes]:
    steady: list[int | None] = [1_000_000 + 5_000 * i for i in range(40)]
    lossy = [None if i % 5 == 2 else us for i, us in enumerate(steady)]
    uneven: list[int | None] = [64_000 * i * (i % 3) for i in range(30)]
    for times in (steady, lossy, uneven, [0] + [None] * 500 + [9_000]):
        writer = probes.RtcpWriter()
        writer.twcc(1, 2, 65_500, 9, times)
        yield bytes(writer)


def cc() -> Iterator[bytes]:
    """Steps of fuzz_cc.c: packets sent, feedback for them, ticks, a need, repairs."""
    needs = b"\x05" + struct.pack("!I", 2_470_000)
    tick, repair = b"\x04\x01\x00", b"\x0d\x04\x00"  # 256 ms; 1024 bytes
    sent = b"\x00\x20" + struct.pack("!H", 1200)
    steady: list[int | None] = [1_000_000 + 5_000 * i for i in range(32)]
    lossy = [None if i % 4 == 2 else us for i, us in enumerate(steady)]

    def feedback(first: int, times: list[int | None]) -> bytes:
        writer = probes.RtcpWriter()
        writer.twcc(1, 2, first & 0xFFFF, 9, times)
        message = bytes(writer)
        return b"\x02" + bytes([(len(message) - 8) // 4]) + message[4:]

    rounds = [sent + feedback(65_500 + 32 * n, steady if n % 3 else lossy) for n in range(20)]
    yield needs + b"".join(rounds) + tick * 8
    yield b"".join([needs, *rounds[:4], repair * 40, *[sent + tick] * 8, *rounds[:2]])
    yield b"".join(
        [sent, feedback(65_500, steady), sent, feedback(3, [0] + [None] * 500 + [9_000]), sent * 9, tick * 40]
    )


def vp8() -> Iterator[bytes]:
    yield b"\x10" + VP8_KEYFRAME
    yield bytes([0x90, 0xF0, 0x80, 0x01, 0x22, 0xA5]) + VP8_KEYFRAME
    yield bytes([0x80, 0x80, 0x11, 0x01])


def vp9() -> Iterator[bytes]:
    sizes = struct.pack("!6H", 320, 180, 640, 360, 1280, 720)
    yield bytes([0xAA, 0x80, 0x07, 0x00, 0x05, 0x58]) + sizes + bytes([2, 0x00, 0x28, 1, 2]) + b"frame"
    yield bytes([0xF8, 0x07, 0x42, 0x03, 0x05, 0x08]) + b"frame"


def h264() -> Iterator[bytes]:
    high_1080p = [(0x67, 8), (100, 8), (0, 8), (40, 8), ue(0), ue(1), ue(0), ue(0), (0, 1)]
    high_1080p += [(1, 1), (1, 1), *[ue(1), ue(2)] * 8, (0, 7)]  # a scaling matrix with one list given
    high_1080p += [ue(0), ue(0), ue(2), ue(1), (0, 1), ue(119), ue(67), (1, 1), (1, 1)]
    high_1080p += [(1, 1), ue(0), ue(0), ue(0), ue(4), (0, 1)]
    baseline_field = [(0x67, 8), (66, 8), (0xE0, 8), (31, 8), ue(0), ue(4), ue(1), (0, 1), ue(2), ue(3), ue(1), ue(9)]
    baseline_field += [ue(1), (0, 1), ue(79), ue(22), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1)]
    units = [pack_bits(*high_1080p), b"\x68\xce\x3c\x80", b"\x65\x88\x84\x00"]
    yield from units
    yield pack_bits(*baseline_field)
    yield b"\x18" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
    yield b"\x7c\x85\x88\x84\x00"
    yield b"\x7c\x45\x12\x34"


def h265() -> Iterator[bytes]:
    units = [b"\x40\x01\x0c", b"\x42\x01\x01\x60", b"\x44\x01\xc0", b"\x26\x01\xaf\x12"]
    yield from units
    yield b"\x60\x01" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
    yield b"\x62\x03\x93\xaf\x12"
    yield b"\x62\x03\x53\x12"


def av1() -> Iterator[bytes]:
    size = [(10, 4), (9, 4), (1279, 11), (719, 10)]
    plain = pack_bits((0, 3), (0, 2), (0, 1), (0, 1), (0, 5), (0, 12), (8, 5), (0, 1), *size)
    points = [(1, 12), (9, 5), (1, 1), (1, 1), (3, 10), (4, 10), (0, 1), (1, 1), (5, 4)]
    timing = [(1, 1), (1, 32), (30, 32), (1, 1), ue(0), (1, 1), (9, 5), (1, 32), (0, 10)]
    timed = pack_bits((0, 3), (0, 2), *timing, (1, 1), (1, 5), *points, *points, *size)
    still = pack_bits((0, 3), (3, 2), (5, 5), *size)
    for header in (plain, timed, still):
        elements = [b"\x08" + header, b"\x34\x48frame"]
        yield b"\x28" + bytes([len(elements[0])]) + b"".join(elements)
        yield b"\x08" + b"".join(bytes([len(element)]) + element for element in elements)
    yield b"\x50\x30frame"
    yield b"\x90goes on"


def dd() -> Iterator[bytes]:
    yield b"\xc1\x00\x07"
    yield CHROMIUM_L3T3
    yield bytes.fromhex("86017340fc")
    # Two temporal layers with a chain and a size, and a frame that overrides every field of its template.
    layers = [
        (0x83, 8),
        (8, 16),
        (0b11111, 5),
        (2, 6),
        (1, 5),
        (1, 2),
        (3, 2),
        (0b1010, 4),
        (0b0001, 4),
        (0, 1),
        (0x10, 5),
    ]
    own = [(0b10, 2), (0b0110, 4), (1, 2), (3, 4), (0, 2), (7, 8)]
    yield pack_bits(*layers, (0, 1), (1, 1), (0, 1), (0, 4), (1, 4), (1, 1), (639, 16), (359, 16), *own)


def red() -> Iterator[bytes]:
    yield b"\x6fopus"
    yield struct.pack("!BBHBBHB", 0xEF, 0x1E, 0x0003, 0xEF, 0x0F, 0x0002, 0x6F) + b"oldnewopus"


def step(what: int, data: bytes, path: int = 0) -> bytes:
    return bytes([what | path << 4]) + struct.pack("!H", len(data)) + data


def sealed(pt: int, seq: int, ssrc: int, extensions: list[tuple[int, bytes]], payload: bytes) -> bytes:
    """An RTP packet as the open cipher of fuzz_core.c protects it."""
    block = probes.ext_write(extensions, True)[0]
    head = probes.rtp_write(
        padding=False, extension=True, marker=True, payload_type=pt, seq16=seq, timestamp=seq * 3000, ssrc=ssrc
    )
    return step(0, head + block + payload + bytes(16))


def sealed_rtcp(writer: probes.RtcpWriter, path: int = 0) -> bytes:
    """An SRTCP compound for the open cipher: a tag, and an index with the E bit set."""
    return step(0, bytes(writer) + bytes(16) + b"\x80\0\0\1", path)


def core() -> Iterator[bytes]:
    """Steps of fuzz_core.c: transports, media, reports, retransmissions and elapsed time."""
    pause, flush = step(6, b"\0\x14"), step(7, b"")
    username = struct.pack("!HH", 6, 8) + b"abc1:per"
    keyframe, delta = b"\x90\xe0\x80\x05\x07\x20\x10" + VP8_KEYFRAME[1:], b"\x80\xe0\x80\x06\x08\x20\x11"
    names = [(1, b"v"), (2, b"0"), (5, b"\0\1"), (13, b"\xc0\0\1")]
    video = [sealed(96, seq, 0x11, names, keyframe if seq == 9 else delta) for seq in (9, 10, 12, 14, 13)]
    layers = [sealed(96, seq, 0x22, [(1, b"v"), (2, b"1")], keyframe) for seq in (65_534, 65_535, 0)]
    rtx = sealed(97, 1, 0x33, [(1, b"v"), (3, b"0")], b"\0\x0b" + delta)
    redundant = struct.pack("!BHBB", 0xEF, 0x0F00, 0x02, 0x6F) + b"ldopus"
    sound = [sealed(63, seq, 0x44, [(1, b"a")], redundant) for seq in (1, 2)]
    sound.append(sealed(111, 3, 0x44, [(1, b"a")], b"o"))
    descriptors = [
        CHROMIUM_L3T3,
        *map(bytes.fromhex, ("860173", "460173", "8b0174", "4b0174", "c30175", "c80176", "cd0177")),
    ]
    described = [
        sealed(102, seq, 0x11, [(1, b"v"), (2, b"0"), (13, descriptor)], b"\x10\x30frame")
        for seq, descriptor in enumerate(descriptors, 20)
    ]
    writer = probes.RtcpWriter()
    writer.sr({"ssrc": 0x11, "ntp": 2 << 32, "timestamp": 27_000, "packets": 4, "octets": 5})
    report = sealed_rtcp(writer)
    writer = probes.RtcpWriter()
    writer.rr(9, [BLOCK | {"ssrc": 1}])
    writer.nack(9, 1, [1, 2, 3])
    writer.pli(9, 1)
    feedback = sealed_rtcp(writer, path=1) + sealed_rtcp(writer, path=2)
    yield b"".join([*video, flush, report, *layers, pause, flush, rtx, flush, feedback, flush, pause * 60, flush])
    yield b"".join([*sound, flush, step(3, username, path=1), step(3, username + b"\0\x25\0\0", path=3), flush])
    yield b"".join([*described, flush, pause, *described[1:], flush])
    yield b"".join([*described[1:], flush, described[0], flush, feedback, flush])
    handed = sealed(96, 9, 0xCAFE, names, keyframe)[3:-16]
    records = [
        step(5, bytes([kind, 5]) + struct.pack("!HI", seq, seq) + handed)
        for kind, seq in ((1, 9), (1, 10), (0, 11), (2, 9))
    ]
    yield b"".join([*records, step(5, bytes([3, 5, 0, 1]) + bytes(4)), flush, feedback])
    yield step(0, b"\x16\xfe\xfd dtls") + step(4, bytes([5, 0, 0])) + flush
    yield b"".join([*video, flush, step(4, bytes([7, 3, 0])), *video, flush, step(4, bytes([12, 6, 0])), flush])
    yield from paths(video, flush, pause)
    yield from newcomers(keyframe, delta, names, feedback)
    yield from chosen(flush, described, names[:3])


def paths(video: list[bytes], flush: bytes, pause: bytes) -> Iterator[bytes]:
    """A publisher that changes its path, with and without an answer, and a client that takes over another's address."""
    nominate = b"\0\x25\0\0"
    users = [struct.pack("!HH", 6, 8) + b"abc%d:per" % number for number in range(4)]
    moves = step(3, users[0] + nominate, path=3) + flush
    answers = [step(2, bytes([number, error]), path=3) for number in range(8) for error in (0, 1)]
    yield b"".join([moves, *answers, *video, flush, pause * 50, moves, flush, *video, flush])
    yield b"".join([moves, *[pause + flush] * 60, *video, flush])
    hello, other = step(1, b"\1"), step(1, b"\2")
    sent = step(4, bytes([4, 12, 0])) + flush
    keys = step(4, bytes([2, 12, 0]) + struct.pack("<I", 7)) + flush
    proofs = b"".join(step(2, bytes([number, 0])) for number in range(8))
    claims = hello + step(3, users[3] + nominate) + flush + other + hello + proofs
    yield b"".join([*video, flush, claims, step(0, b"\x14\xfe\xfd\0\0"), sent, *video, flush, keys, *video, flush])
    yield b"".join([claims, step(4, bytes([5, 0, 0])), flush, other, keys, pause * 450, flush])
    yield b"".join([step(3, users[1] + nominate), flush, pause * 450, step(3, users[1] + nominate), flush, *video])


def newcomers(keyframe: bytes, delta: bytes, names: list[tuple[int, bytes]], feedback: bytes) -> Iterator[bytes]:
    """Viewers that join late: fast starts from the cache after a join or a PLI, and layer choices."""
    flush, tick, frame = step(7, b""), step(6, b"\0\1"), step(6, b"\0\x21")
    first, second = 7, 9  # the consumers of the camera, which is number 3

    def join(consumer: int) -> bytes:
        formats = bytes([0, 1, 2, 3, *[255] * 12])
        return step(4, bytes([11, consumer, 3]) + bytes(8) + formats + b"\0")

    def choose(consumer: int, encoding: int, spatial: int, temporal: int) -> bytes:
        return step(4, bytes([12, consumer, 0, encoding, spatial, temporal]))

    def packets(*numbers: int) -> list[bytes]:
        """The first is a keyframe's."""
        return [sealed(96, seq, 0x11, names, delta if i else keyframe) + frame + flush for i, seq in enumerate(numbers)]

    hand_over = step(4, bytes([8, 3, 5]) + bytes(12))
    past, live = packets(16, 17, 19, 20, 21), packets(22, 23, 18, 24)[1:]
    yield b"".join(
        [*past, hand_over, join(first), flush, tick, *live, *[tick + flush] * 30, join(second), *[frame + flush] * 8]
    )
    yield b"".join([*past, frame * 5, feedback, *[tick + flush] * 9, *live, frame * 90, feedback, *packets(30, 31)])
    # The cache grows, and its oldest packet is far behind; then the stream continues with another SSRC.
    restarted = sealed(96, 9, 0x12, names, keyframe) + flush + feedback + flush
    yield b"".join([*packets(16, 17), *packets(16, 224, 448)[1:], join(first), *[frame + flush] * 8, restarted])
    small = [sealed(96, seq, 0x22, [(1, b"v"), (2, b"1")], keyframe) + frame + flush for seq in (5, 6)]
    chosen_layers = [
        choose(first, 1, 255, 255),
        choose(second, 0, 0, 0),
        *small,
        choose(first, 255, 255, 1),
        frame + flush,
    ]
    late = [join(first), choose(first, 0, 1, 2), *packets(40, 41)]
    yield b"".join([*past, *small, *chosen_layers, *live, *chosen_layers, *late, *chosen_layers])


def choose_both(spatial: int, temporal: int, encoding: int = 0xFF) -> bytes:
    """Sets these preferred layers for both viewers of the camera."""
    return b"".join(step(4, bytes([12, viewer, 0, encoding, spatial, temporal])) for viewer in (7, 9))


def chosen(flush: bytes, described: list[bytes], names: list[tuple[int, bytes]]) -> Iterator[bytes]:
    """Layer changes within running VP8, H264, VP9 and AV1 streams."""

    def send(pt: int, first: int, payloads: list[bytes]) -> bytes:
        return b"".join(sealed(pt, seq, 0x11, names, payload) + flush for seq, payload in enumerate(payloads, first))

    vp8_key = b"\x90\xf0\x80\x05\x07\x01\x10" + VP8_KEYFRAME[1:]
    vp8 = [b"\x90\xf0\x80%c%c%c\x11" % (6 + n, 7 + n // 4, layer) for n, layer in enumerate(b"\xa1\x61\x81\x01" * 2)]
    prefix, unit = b"\x6e\x80\x80\x47", b"\x00\x04\x67\x42\x00\x1e"
    h264_key = b"\x78" + unit + b"\x00\x02\x65\x88"
    h264 = [b"\x01\x9a", b"\x41\x9a", b"\x7c\x81\x9a", b"\x7c\x41", b"\x1c\x81\x9a"]
    vp9_key = b"\xae\x80\x01\x00\x07\x18\x01\x40\x00\xb4" + b"vp9"
    vp9 = [b"\xec\x80%c%c\x07vp9" % (2 + n // 2, layer) for n, layer in enumerate(b"\x40\x42\x10\x12" * 2)]
    for choices in (choose_both(0, 0), choose_both(1, 1), choose_both(0, 0) + flush + choose_both(2, 2, 0)):
        yield send(96, 9, [vp8_key]) + choices + send(96, 10, vp8) + choose_both(7, 7) + send(96, 18, vp8)
        yield send(98, 9, [h264_key]) + choices + send(98, 10, h264) + choose_both(7, 7) + send(98, 15, h264)
        yield send(98, 9, [h264_key, prefix, *h264]) + choices + send(98, 16, [prefix, *h264, b"\x09\x10", *h264])
        for key in (vp9_key, b"\xaf" + vp9_key[1:]):  # Z: an S mode
            yield send(100, 9, [key]) + choices + send(100, 10, [*vp9, key, *vp9]) + choose_both(7, 7)
        yield b"".join([described[0], flush, choices, *described[1:], flush, choose_both(7, 7), described[0], flush])


def srtp() -> Iterator[bytes]:
    """A byte for profile and kind, then packets; the first byte of each but the last is its length."""
    rtp = [bytes([0x80, 96]) + struct.pack("!HII", seq, 0, 7) + b"payload" + bytes(16) for seq in (1, 2, 40_000, 3)]
    extended = b"\x90" + rtp[0][1:12] + b"\xbe\xde\0\1\x10\0\0\0" + rtp[0][12:]
    rtcp = b"\x80\xc9\0\1\0\0\0\7" + b"payload." + bytes(16) + b"\x80\0\0\1" + bytes(10)
    for profile in range(3):
        for packet in (*rtp, extended):
            yield bytes([profile]) + packet
        yield bytes([profile | 0x80]) + rtcp
        yield bytes([profile | 0x80]) + rtcp[:-10]


def tcp() -> Iterator[bytes]:
    """A byte for the state of the connection and the split of its stream, then the stream (RFC 4571)."""
    greeting = next(iter(stun()))
    request = b"\0\1" + greeting[2:]
    frames = [request, b"", b"\x80rtp" * 300, bytes(2048), b"x"]
    stream = b"".join(struct.pack("!H", len(frame)) + frame for frame in frames)
    for cut in (0, 1, 7, 0x41, 0xFF):
        yield bytes([cut]) + stream
    yield bytes([0xFE]) + (struct.pack("!H", len(request)) + request) * 3
    yield b"\xff" + struct.pack("!H", 2049) + bytes(10)


SEEDS = {
    "core": core,
    "srtp": srtp,
    "tcp": tcp,
    "stun": stun,
    "rtp": plain_rtp,
    "ext": ext,
    "rtcp": rtcp,
    "twcc": twcc,
    "cc": cc,
    "vp8": vp8,
    "vp9": vp9,
    "h264": h264,
    "h265": h265,
    "av1": av1,
    "dd": dd,
    "parameter_sets": parameter_sets,
    "red": red,
}


def main(directory: Path) -> None:
    for target, seeds in SEEDS.items():
        folder = directory / target
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(seeds()):
            (folder / f"{number:02}").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
