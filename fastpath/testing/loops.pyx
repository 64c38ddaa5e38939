# cython: language_level=3
"""Compiled loops over single C functions, so that bench/ does not time the calls from Python."""

import pylibsrtp._binding

from .. import backends

from libc.string cimport memcpy, memset

from ..core cimport *
from ..crypto cimport *
from ..wire cimport *

load_crypto(pylibsrtp._binding.__file__)


cdef extern from "stream/seqmap.h" nogil:
    ctypedef struct fw_layers_t:
        uint8_t spatial
        uint8_t temporal

    ctypedef struct fw_seqmap_t:
        pass

    void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out)
    void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers)
    fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m)
    int fw_seqmap_map(fw_seqmap_t *m, uint64_t source, uint64_t *out, fw_layers_t *layers)
    bint fw_seqmap_skip(fw_seqmap_t *m, uint64_t source)


cdef check(bint good, str problem):
    if not good:
        raise ValueError(problem)


def seqmap_map(uint64_t times):
    """Maps `times` numbers of one source in order and skips each 16th. Returns the last number given."""
    cdef fw_seqmap_t m
    cdef fw_layers_t layers
    cdef uint64_t i, out = 0
    with nogil:
        fw_seqmap_init(&m, 1)
        layers = fw_seqmap_layers(&m)
        fw_seqmap_switch(&m, 1, layers)
        for i in range(1, times + 1):
            if i % 16 == 0:
                fw_seqmap_skip(&m, i)
            else:
                fw_seqmap_map(&m, i, &out, &layers)
    return out


def stun_answer(bytes request, bytes pwd, uint64_t times):
    """Verifies a Binding request and writes its signed answer. Returns the answer; raises ValueError if verification fails."""
    cdef fw_stun_t stun
    cdef uint8_t[FW_STUN_HEADER_BYTES] head
    cdef uint8_t[FW_HMAC_BYTES] tag
    cdef uint8_t[FW_STUN_RESPONSE_MAX_BYTES] out
    cdef const uint8_t *data = request
    cdef const uint8_t *ip = b"\x7f\x00\x00\x01"
    cdef size_t size = len(request), n = 0
    cdef uint64_t i
    cdef bint good = True
    cdef fw_hmac_t hmac
    check(fw_hmac_init(&hmac, pwd, len(pwd)), "no HMAC")
    with nogil:
        for i in range(times):
            good = fw_stun_parse(data, size, &stun) == FW_STUN_OK and stun.integrity != NULL
            if not good:
                break
            fw_stun_covered_header(data, &stun, head)
            good = fw_hmac_compute(
                &hmac, head, FW_STUN_HEADER_BYTES, data + FW_STUN_HEADER_BYTES, stun.covered_len - FW_STUN_HEADER_BYTES, tag
            ) and fw_tag_equal(tag, stun.integrity, FW_HMAC_BYTES)
            n = fw_stun_begin_success(out, stun.transaction, False, ip, 5004)
            good = good and fw_hmac_compute(&hmac, out, n, NULL, 0, out + n + 4)
            n = fw_stun_finish(out, n)
            if not good:
                break
    check(good, "not an authentic binding request")
    return out[:n]


def srtp_protect(int profile, bytes key, bytes body, uint64_t times):
    """Copies and protects `times` packets of one stream, of a 12-byte header and `body`. Returns the last one."""
    use_backend(backends.chosen().name)
    cdef fw_crypto_t *crypto = fw_crypto_create()
    cdef fw_srtp_t *srtp = fw_srtp_create(crypto, <fw_srtp_profile_t>profile, key, key)
    cdef fw_srtp_job_t job
    cdef uint8_t[2048] out
    cdef uint64_t i
    cdef bint good = True
    check(srtp != NULL and len(body) <= 1500, "an unknown profile, or over 1500 bytes")
    memset(&job, 0, sizeof(job))
    job.srtp = srtp
    job.overhead = <uint8_t>fw_srtp_overhead(srtp)
    job.out = out
    job.body = body
    job.header_len = FW_RTP_HEADER_BYTES
    job.body_len = <uint16_t>len(body)
    with nogil:
        for i in range(1, times + 1):
            fw_rtp_write(out, False, False, False, 96, <uint16_t>i, 0, 1)
            job.index = i
            fw_srtp_protect(&job, 1)
            good = good and job.out_len > 0
    fw_srtp_destroy(srtp)
    fw_crypto_destroy(crypto)
    check(good, "a packet could not be protected")
    return out[:job.out_len]


def rtp_parse(bytes packet, uint64_t times):
    """Reads the header and every extension element of a packet. Returns the bytes of payload and elements."""
    cdef fw_rtp_t rtp
    cdef fw_ext_t element
    cdef fw_ext_reader_t reader
    cdef const uint8_t *data = packet
    cdef size_t size = len(packet), payload = 0, extensions = 0
    cdef uint64_t i
    with nogil:
        for i in range(times):
            if not fw_rtp_parse_header(data, size, &rtp) or not fw_rtp_parse_body(data, size, &rtp):
                continue
            payload += rtp.payload_len
            reader = fw_ext_reader(data, &rtp)
            while fw_ext_next(&reader, &element):
                extensions += element.len
    return payload // times, extensions // times


def twcc_build(uint64_t times, unsigned packets):
    """Writes feedback for `packets` (at most TWCC_MAX_PACKETS of probes.pyx) arrivals about 1 ms apart, each 50th lost. Returns the last one."""
    cdef fw_rtcp_writer_t writer
    cdef int64_t[FW_TWCC_MAX_PACKETS] arrivals_us
    cdef uint8_t[1500] out
    cdef uint64_t i
    cdef unsigned p
    check(packets <= FW_TWCC_MAX_PACKETS, "too many packets")
    for p in range(packets):
        arrivals_us[p] = FW_TWCC_LOST if p % 50 == 49 else 1000000 + 1000 * p + 37 * (p % 7)
    with nogil:
        for i in range(times):
            writer = fw_rtcp_writer(out, sizeof(out))
            fw_rtcp_put_twcc(&writer, 1, 2, <uint16_t>i, <uint8_t>i, arrivals_us, packets)
    return out[:writer.len]
