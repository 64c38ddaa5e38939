"""Declares the C of wire/ for Cython. The headers document it."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "wire/bytes.h" nogil:
    ctypedef struct fw_reader_t:
        bint ok

    fw_reader_t fw_reader(const uint8_t *data, size_t len)


cdef extern from "wire/demux.h" nogil:
    ctypedef enum fw_datagram_t:
        FW_DATAGRAM_UNKNOWN
        FW_DATAGRAM_STUN
        FW_DATAGRAM_DTLS
        FW_DATAGRAM_RTP
        FW_DATAGRAM_RTCP

    fw_datagram_t fw_demux(const uint8_t *data, size_t len)


cdef extern from "wire/crc32.h" nogil:
    uint32_t fw_crc32(const uint8_t *data, size_t len)


cdef extern from "wire/stun.h" nogil:
    enum:
        FW_STUN_HEADER_BYTES
        FW_STUN_INTEGRITY_BYTES
        FW_STUN_RESPONSE_MAX_BYTES
        FW_STUN_REQUEST_OVERHEAD_BYTES

    ctypedef enum fw_stun_status_t:
        FW_STUN_OK
        FW_STUN_MALFORMED
        FW_STUN_NO_FINGERPRINT
        FW_STUN_BAD_FINGERPRINT

    ctypedef struct fw_stun_t:
        uint16_t type
        const uint8_t *transaction
        const uint8_t *username
        size_t username_len
        const uint8_t *integrity
        size_t covered_len
        bint use_candidate
        bint controlling
        bint controlled
        uint64_t tie_breaker
        uint16_t error_code
        uint16_t unknown_type

    ctypedef struct fw_stun_check_t:
        const char *username
        size_t username_len
        uint64_t tie_breaker
        uint32_t priority
        bint controlling

    fw_stun_status_t fw_stun_parse(const uint8_t *data, size_t len, fw_stun_t *out)
    void fw_stun_covered_header(const uint8_t *data, const fw_stun_t *stun, uint8_t *patched)
    size_t fw_stun_begin_request(uint8_t *out, const uint8_t *transaction, const fw_stun_check_t *check)
    size_t fw_stun_begin_success(
        uint8_t *out, const uint8_t *transaction, bint ipv6, const uint8_t *ip, uint16_t port
    )
    size_t fw_stun_begin_error(uint8_t *out, const uint8_t *transaction, uint16_t code, uint16_t unknown_type)
    size_t fw_stun_finish(uint8_t *out, size_t n)


cdef extern from "wire/rtp.h" nogil:
    enum:
        FW_RTP_HEADER_BYTES

    ctypedef struct fw_rtp_t:
        uint32_t ssrc
        uint32_t timestamp
        uint16_t seq16
        uint16_t ext_profile
        uint16_t ext_offset
        uint16_t ext_len
        uint16_t header_len
        uint16_t payload_len
        uint8_t padding_len
        uint8_t payload_type
        bint marker
        bint has_padding

    bint fw_rtp_parse_header(const uint8_t *packet, size_t len, fw_rtp_t *out)
    bint fw_rtp_parse_body(const uint8_t *packet, size_t len, fw_rtp_t *rtp)
    void fw_rtp_write(
        uint8_t *out, bint padding, bint extension, bint marker, uint8_t payload_type, uint16_t seq16,
        uint32_t timestamp, uint32_t ssrc
    )


cdef extern from "wire/ext.h" nogil:
    ctypedef struct fw_ext_t:
        const uint8_t *data
        uint8_t id
        uint8_t len

    ctypedef struct fw_ext_reader_t:
        bint two_byte
        bint known

    ctypedef struct fw_ext_writer_t:
        size_t len

    fw_ext_reader_t fw_ext_reader(const uint8_t *packet, const fw_rtp_t *rtp)
    bint fw_ext_next(fw_ext_reader_t *r, fw_ext_t *out)
    void fw_ext_begin(fw_ext_writer_t *w, uint8_t *out, size_t cap, bint two_byte)
    uint8_t *fw_ext_put(fw_ext_writer_t *w, uint8_t id, uint8_t len)
    size_t fw_ext_end(fw_ext_writer_t *w)


cdef extern from "wire/rtcp.h" nogil:
    ctypedef struct fw_rtcp_t:
        const uint8_t *data
        size_t len
        uint8_t type
        uint8_t count

    ctypedef struct fw_sender_info_t:
        uint32_t ssrc
        uint64_t ntp
        uint32_t timestamp
        uint32_t packets
        uint32_t octets

    ctypedef struct fw_report_block_t:
        uint32_t ssrc
        uint8_t fraction_lost
        int32_t cumulative_lost
        uint32_t highest_seq
        uint32_t jitter_ticks
        uint32_t last_sr
        uint32_t delay_sr

    ctypedef struct fw_rtcp_writer_t:
        uint8_t *out
        size_t cap
        size_t len
        bint overflow

    bint fw_rtcp_next(fw_reader_t *r, fw_rtcp_t *out)
    bint fw_rtcp_sender_info(const fw_rtcp_t *p, fw_sender_info_t *out)
    bint fw_rtcp_report_block(const fw_rtcp_t *p, unsigned i, fw_report_block_t *out)
    bint fw_rtcp_feedback(const fw_rtcp_t *p, uint32_t *sender_ssrc, uint32_t *media_ssrc)
    bint fw_rtcp_nack(const fw_rtcp_t *p, unsigned i, uint16_t *seq16, uint16_t *mask)
    bint fw_rtcp_fir(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc, uint8_t *command_seq)
    bint fw_rtcp_remb(const fw_rtcp_t *p, uint64_t *bitrate_bps)
    bint fw_rtcp_bye(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc)

    fw_rtcp_writer_t fw_rtcp_writer(uint8_t *out, size_t cap)
    void fw_rtcp_put_sr(fw_rtcp_writer_t *w, const fw_sender_info_t *info)
    void fw_rtcp_put_rr(
        fw_rtcp_writer_t *w, uint32_t sender_ssrc, const fw_report_block_t *blocks, unsigned count
    )
    void fw_rtcp_put_sdes(
        fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count, const char *cname, size_t cname_len
    )
    void fw_rtcp_put_bye(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count)
    void fw_rtcp_put_nack(
        fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs, unsigned count
    )
    void fw_rtcp_put_pli(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc)
    void fw_rtcp_put_fir(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command_seq)
    void fw_rtcp_put_remb(
        fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, unsigned count
    )


cdef extern from "wire/twcc.h" nogil:
    const int64_t FW_TWCC_LOST
    enum:
        FW_TWCC_MAX_PACKETS

    ctypedef struct fw_twcc_t:
        uint16_t base_seq16
        uint16_t count
        uint8_t feedback_count
        int64_t reference_us

    unsigned fw_rtcp_put_twcc(
        fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_seq16,
        uint8_t feedback_count, const int64_t *arrivals_us, unsigned count
    )
    bint fw_rtcp_twcc(const fw_rtcp_t *p, fw_twcc_t *out, int64_t *arrivals_us)


cdef extern from "wire/frame.h" nogil:
    enum:
        FW_SPATIALS

    ctypedef struct fw_size_t:
        uint16_t width
        uint16_t height

    ctypedef struct fw_frame_t:
        bint start
        bint end
        bint keyframe
        bint has_layers
        bint from_descriptor
        bint layer_sync
        bint intra
        bint independent_layers
        bint prefixed
        bint loose
        bint switch_up
        bint ids_close_up
        uint8_t temporal
        uint8_t spatial
        uint8_t up_spatial
        uint16_t width
        uint16_t height
        bint has_picture_id
        bint has_tl0
        bint has_keyidx
        uint8_t picture_id_bits
        uint16_t picture_id
        uint8_t tl0_pic_idx
        uint8_t picture_id_offset
        uint8_t tl0_offset
        uint8_t refs_offset
        uint8_t ref_count
        uint8_t keyidx
        uint8_t keyidx_offset
        uint8_t size_count
        uint8_t sizes_offset


cdef extern from "wire/vp8.h" nogil:
    bint fw_vp8_parse(const uint8_t *payload, size_t len, fw_frame_t *out)

cdef extern from "wire/vp9.h" nogil:
    bint fw_vp9_parse(const uint8_t *payload, size_t len, fw_frame_t *out)

cdef extern from "wire/h264.h" nogil:
    bint fw_h264_parse(const uint8_t *payload, size_t len, fw_frame_t *out)

cdef extern from "wire/h265.h" nogil:
    bint fw_h265_parse(const uint8_t *payload, size_t len, fw_frame_t *out)

cdef extern from "wire/av1.h" nogil:
    bint fw_av1_parse(const uint8_t *payload, size_t len, fw_frame_t *out)


cdef extern from "wire/dd.h" nogil:
    ctypedef struct fw_dd_t:
        bint start_of_frame
        bint end_of_frame
        uint8_t template_id
        uint16_t frame_number
        bint has_structure

    ctypedef struct fw_dd_template_t:
        uint8_t spatial
        uint8_t temporal
        bint refers

    ctypedef struct fw_dd_structure_t:
        uint8_t target_count
        uint8_t target_spatial[32]
        uint8_t target_temporal[32]
        fw_size_t sizes[4]

    ctypedef struct fw_dd_frame_t:
        fw_dd_template_t own
        bint has_active
        uint32_t active

    int fw_dd_dti(const fw_dd_template_t *t, unsigned target)
    bint fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out)
    bint fw_dd_structure(const uint8_t *data, size_t len, fw_dd_structure_t *out)
    bint fw_dd_frame(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, fw_dd_frame_t *out)
    size_t fw_dd_tie(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, uint8_t *out, size_t room)


cdef extern from "wire/red.h" nogil:
    ctypedef struct fw_red_t:
        uint16_t headers_len
        uint16_t primary_offset
        uint8_t primary_pt

    bint fw_red_parse(const uint8_t *payload, size_t len, fw_red_t *out)
