"""Python bindings of the C parsers and writers of `wire/`, for tests and benchmarks: bytes in, Python values out.

A parser returns None if the C parser fails; structs become dicts with the field names of the C headers.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from ..wire cimport *

DATAGRAMS = {
    FW_DATAGRAM_UNKNOWN: "unknown",
    FW_DATAGRAM_STUN: "stun",
    FW_DATAGRAM_DTLS: "dtls",
    FW_DATAGRAM_RTP: "rtp",
    FW_DATAGRAM_RTCP: "rtcp",
}
STUN_STATUSES = {
    FW_STUN_OK: "ok",
    FW_STUN_MALFORMED: "malformed",
    FW_STUN_NO_FINGERPRINT: "no fingerprint",
    FW_STUN_BAD_FINGERPRINT: "bad fingerprint",
}
TWCC_MAX_PACKETS = FW_TWCC_MAX_PACKETS


cdef require(bint condition, str problem):
    """Raises an exception for a length that the C function does not check."""
    if not condition:
        raise ValueError(problem)


def demux(bytes data):
    return DATAGRAMS[fw_demux(data, len(data))]


def crc32(bytes data):
    return fw_crc32(data, len(data))


def stun_parse(bytes data):
    cdef fw_stun_t stun
    cdef uint8_t[FW_STUN_HEADER_BYTES] patched
    cdef const uint8_t *start = data
    status = fw_stun_parse(start, len(data), &stun)
    if status == FW_STUN_MALFORMED:
        return STUN_STATUSES[status], None
    covered = None
    if stun.integrity:
        fw_stun_covered_header(start, &stun, patched)
        covered = patched[:FW_STUN_HEADER_BYTES] + data[FW_STUN_HEADER_BYTES:stun.covered_len]
    return STUN_STATUSES[status], {
        "type": stun.type,
        "transaction": stun.transaction[:12],
        "username": stun.username[:stun.username_len] if stun.username else None,
        "integrity": stun.integrity[:FW_STUN_INTEGRITY_BYTES] if stun.integrity else None,
        "covered": covered,
        "use_candidate": stun.use_candidate,
        "controlling": stun.controlling,
        "controlled": stun.controlled,
        "tie_breaker": stun.tie_breaker,
        "error_code": stun.error_code,
        "unknown_type": stun.unknown_type,
    }


cdef finish_stun(uint8_t *out, size_t n, sign):
    cdef bytes integrity = sign(out[:n])
    require(len(integrity) == FW_STUN_INTEGRITY_BYTES, "the integrity is not 20 bytes")
    memcpy(out + n + 4, <const uint8_t *>integrity, FW_STUN_INTEGRITY_BYTES)
    return out[:fw_stun_finish(out, n)]


def stun_request(bytes transaction, bytes username, uint64_t tie_breaker, uint32_t priority, bint controlling, sign):
    cdef uint8_t[FW_STUN_REQUEST_OVERHEAD_BYTES + 516] out
    cdef fw_stun_check_t check
    if len(username) > 513:
        raise ValueError("a username has at most 513 bytes")
    check.username, check.username_len = username, len(username)
    check.tie_breaker, check.priority, check.controlling = tie_breaker, priority, controlling
    return finish_stun(out, fw_stun_begin_request(out, transaction, &check), sign)


def stun_success(bytes transaction, bytes ip, uint16_t port, sign):
    cdef uint8_t[FW_STUN_RESPONSE_MAX_BYTES] out
    require(len(transaction) == 12, "the transaction id is not 12 bytes")
    require(len(ip) in (4, 16), "the address is neither 4 nor 16 bytes")
    return finish_stun(out, fw_stun_begin_success(out, transaction, len(ip) == 16, ip, port), sign)


def stun_error(bytes transaction, uint16_t code, uint16_t unknown_type, sign):
    cdef uint8_t[FW_STUN_RESPONSE_MAX_BYTES] out
    require(len(transaction) == 12, "the transaction id is not 12 bytes")
    return finish_stun(out, fw_stun_begin_error(out, transaction, code, unknown_type), sign)


def rtp_header(bytes packet):
    cdef fw_rtp_t rtp
    return rtp if fw_rtp_parse_header(packet, len(packet), &rtp) else None


def rtp_parse(bytes packet):
    cdef fw_rtp_t rtp
    if not fw_rtp_parse_header(packet, len(packet), &rtp) or not fw_rtp_parse_body(packet, len(packet), &rtp):
        return None
    return rtp


def rtp_write(*, bint padding, bint extension, bint marker, uint8_t payload_type, uint16_t seq16, uint32_t timestamp,
              uint32_t ssrc):
    cdef uint8_t[FW_RTP_HEADER_BYTES] out
    fw_rtp_write(out, padding, extension, marker, payload_type, seq16, timestamp, ssrc)
    return out[:FW_RTP_HEADER_BYTES]


def ext_read(bytes packet):
    cdef fw_rtp_t rtp
    cdef fw_ext_t element
    if not fw_rtp_parse_header(packet, len(packet), &rtp):
        return None
    cdef fw_ext_reader_t reader = fw_ext_reader(packet, &rtp)
    elements = []
    while fw_ext_next(&reader, &element):
        elements.append((element.id, element.data[:element.len]))
    return elements


def ext_write(elements, bint two_byte, size_t cap=2048):
    cdef fw_ext_writer_t writer
    cdef uint8_t *room
    cdef uint8_t *out = <uint8_t *>calloc(cap or 1, 1)
    try:
        fw_ext_begin(&writer, out, cap, two_byte)
        taken = []
        for id, data in elements:
            room = fw_ext_put(&writer, id, len(data))
            taken.append(room != NULL)
            if room:
                memcpy(room, <const uint8_t *>data, len(data))
        return out[:fw_ext_end(&writer)], taken
    finally:
        free(out)


cdef read_rtcp(const fw_rtcp_t *p):
    cdef fw_sender_info_t info
    cdef fw_report_block_t block
    cdef uint32_t sender, media, ssrc
    cdef uint16_t seq16, mask
    cdef uint8_t command_seq
    cdef uint64_t bitrate
    blocks, nack, fir, bye = [], [], [], []
    while fw_rtcp_report_block(p, len(blocks), &block):
        blocks.append(block)
    while fw_rtcp_nack(p, len(nack), &seq16, &mask):
        nack.append((seq16, mask))
    while fw_rtcp_fir(p, len(fir), &ssrc, &command_seq):
        fir.append((ssrc, command_seq))
    while fw_rtcp_bye(p, len(bye), &ssrc):
        bye.append(ssrc)
    return {
        "type": p.type,
        "count": p.count,
        "data": p.data[:p.len],
        "sender_info": info if fw_rtcp_sender_info(p, &info) else None,
        "feedback": (sender, media) if fw_rtcp_feedback(p, &sender, &media) else None,
        "remb": bitrate if fw_rtcp_remb(p, &bitrate) else None,
        "blocks": blocks,
        "nack": nack,
        "fir": fir,
        "bye": bye,
        "twcc": read_twcc(p),
    }


cdef read_twcc(const fw_rtcp_t *p):
    cdef fw_twcc_t twcc
    cdef int64_t[FW_TWCC_MAX_PACKETS] arrivals_us
    if not fw_rtcp_twcc(p, &twcc, arrivals_us):
        return None
    found = dict(twcc)
    found["arrivals_us"] = [None if us == FW_TWCC_LOST else us for us in arrivals_us[:twcc.count]]
    return found


def rtcp_parse(bytes data):
    cdef fw_reader_t reader = fw_reader(data, len(data))
    cdef fw_rtcp_t packet
    packets = []
    while fw_rtcp_next(&reader, &packet):
        packets.append(read_rtcp(&packet))
    return packets, reader.ok


cdef class RtcpWriter:
    """Writes an RTCP compound into a buffer of `cap` bytes, by default the size of one datagram."""

    cdef fw_rtcp_writer_t writer
    cdef uint8_t *buffer

    def __cinit__(self, size_t cap=1200):
        self.buffer = <uint8_t *>calloc(cap or 1, 1)
        self.writer = fw_rtcp_writer(self.buffer, cap)

    def __dealloc__(self):
        free(self.buffer)

    def __bytes__(self):
        return self.writer.out[:self.writer.len]

    @property
    def overflow(self):
        return self.writer.overflow

    def sr(self, fw_sender_info_t info):
        fw_rtcp_put_sr(&self.writer, &info)

    def rr(self, uint32_t sender_ssrc, blocks):
        cdef fw_report_block_t[32] copies
        for i, block in enumerate(blocks[:32]):
            copies[i] = block
        fw_rtcp_put_rr(&self.writer, sender_ssrc, copies, min(len(blocks), 32))

    def sdes(self, ssrcs, bytes cname):
        cdef uint32_t[32] copies
        for i, ssrc in enumerate(ssrcs[:32]):
            copies[i] = ssrc
        fw_rtcp_put_sdes(&self.writer, copies, min(len(ssrcs), 32), cname, len(cname))

    def bye(self, ssrcs):
        cdef uint32_t[32] copies
        for i, ssrc in enumerate(ssrcs[:32]):
            copies[i] = ssrc
        fw_rtcp_put_bye(&self.writer, copies, min(len(ssrcs), 32))

    def nack(self, uint32_t sender_ssrc, uint32_t media_ssrc, seqs):
        cdef uint16_t *copies = <uint16_t *>calloc(len(seqs) or 1, sizeof(uint16_t))
        try:
            for i, seq in enumerate(seqs):
                copies[i] = seq
            fw_rtcp_put_nack(&self.writer, sender_ssrc, media_ssrc, copies, len(seqs))
        finally:
            free(copies)

    def pli(self, uint32_t sender_ssrc, uint32_t media_ssrc):
        fw_rtcp_put_pli(&self.writer, sender_ssrc, media_ssrc)

    def fir(self, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command_seq):
        fw_rtcp_put_fir(&self.writer, sender_ssrc, media_ssrc, command_seq)

    def remb(self, uint32_t sender_ssrc, uint64_t bitrate_bps, ssrcs):
        cdef uint32_t[32] copies
        for i, ssrc in enumerate(ssrcs[:32]):
            copies[i] = ssrc
        fw_rtcp_put_remb(&self.writer, sender_ssrc, bitrate_bps, copies, min(len(ssrcs), 32))

    def twcc(self, uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_seq16, uint8_t feedback_count, arrivals_us):
        cdef int64_t[FW_TWCC_MAX_PACKETS] copies
        count = min(len(arrivals_us), FW_TWCC_MAX_PACKETS)
        for i in range(count):
            copies[i] = FW_TWCC_LOST if arrivals_us[i] is None else arrivals_us[i]
        return fw_rtcp_put_twcc(
            &self.writer, sender_ssrc, media_ssrc, base_seq16, feedback_count, copies, count
        )


def vp8(bytes payload):
    cdef fw_frame_t frame
    return frame if fw_vp8_parse(payload, len(payload), &frame) else None


def vp9(bytes payload):
    cdef fw_frame_t frame
    return frame if fw_vp9_parse(payload, len(payload), &frame) else None


def h264(bytes payload):
    cdef fw_frame_t frame
    return frame if fw_h264_parse(payload, len(payload), &frame) else None


def h265(bytes payload):
    cdef fw_frame_t frame
    return frame if fw_h265_parse(payload, len(payload), &frame) else None


def av1(bytes payload):
    cdef fw_frame_t frame
    return frame if fw_av1_parse(payload, len(payload), &frame) else None


def dd(bytes data):
    cdef fw_dd_t descriptor
    return descriptor if fw_dd_parse(data, len(data), &descriptor) else None


def dd_frame(bytes data, bytes structure):
    cdef fw_dd_structure_t known
    cdef fw_dd_frame_t frame
    if not fw_dd_structure(structure, len(structure), &known):
        return None
    if not fw_dd_frame(data, len(data), &known, &frame):
        return None
    return {
        "spatial": frame.own.spatial,
        "temporal": frame.own.temporal,
        "refers": bool(frame.own.refers),
        "dtis": "".join("-DSR"[fw_dd_dti(&frame.own, target)] for target in range(known.target_count)),
        "active": frame.active if frame.has_active else None,
        "targets": [(known.target_spatial[i], known.target_temporal[i]) for i in range(known.target_count)],
        "sizes": [(size.width, size.height) for size in known.sizes if size.width],
    }


def dd_tie(bytes data, bytes structure):
    cdef fw_dd_structure_t known
    cdef uint8_t out[64]
    if not fw_dd_structure(structure, len(structure), &known):
        return None
    return out[: fw_dd_tie(data, len(data), &known, out, sizeof(out))] or None


def red(bytes payload):
    cdef fw_red_t blocks
    return blocks if fw_red_parse(payload, len(payload), &blocks) else None
