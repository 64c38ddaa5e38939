/* RTCP packets read and written: RFC 3550 section 6, feedback of RFC 4585 and RFC 5104, REMB. */
#ifndef FW_WIRE_RTCP_H
#define FW_WIRE_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#define FW_RTCP_SR 200
#define FW_RTCP_RR 201
#define FW_RTCP_SDES 202
#define FW_RTCP_BYE 203
#define FW_RTCP_RTPFB 205
#define FW_RTCP_PSFB 206
#define FW_RTCP_XR 207
#define FW_RTPFB_NACK 1
#define FW_RTPFB_TWCC 15
#define FW_PSFB_PLI 1
#define FW_PSFB_FIR 4
#define FW_PSFB_AFB 15

typedef struct {
    const uint8_t *data; /* the whole packet with its 4-byte header, padding excluded */
    size_t len;
    uint8_t type;
    uint8_t count; /* the 5 bits: report count, source count or feedback format */
} fw_rtcp_t;

/* The next packet of a compound (reduced-size ones too, RFC 5506). False at the end or where the length overruns;
 * then `r->ok` tells the end (true) from an error (false). */
bool fw_rtcp_next(fw_reader_t *r, fw_rtcp_t *out);

typedef struct {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 fixed point seconds */
    uint32_t timestamp;
    uint32_t packets;
    uint32_t octets;
} fw_sender_info_t;

typedef struct {
    uint32_t ssrc;
    uint8_t fraction_lost;   /* 1/256 */
    int32_t cumulative_lost; /* 24 bits, signed */
    uint32_t highest_seq;    /* cycles << 16 | seq16 */
    uint32_t jitter_ticks;
    uint32_t last_sr;  /* middle 32 bits of the NTP time of the last SR, 0 if none */
    uint32_t delay_sr; /* 1/65536 s */
} fw_report_block_t;

/* The sender info of an SR; false where it is too short. */
bool fw_rtcp_sender_info(const fw_rtcp_t *p, fw_sender_info_t *out);
/* Report block `i` (0 <= i < count) of an SR or RR; false past the last one that fits. */
bool fw_rtcp_report_block(const fw_rtcp_t *p, unsigned i, fw_report_block_t *out);
/* SSRC of the sender of feedback, and the media source of RFC 4585 section 6.1; false where too short. */
bool fw_rtcp_feedback(const fw_rtcp_t *p, uint32_t *sender_ssrc, uint32_t *media_ssrc);
/* FCI entry `i` of a generic NACK: first lost seq16 and the bitmask of the following 16; false past the last. */
bool fw_rtcp_nack(const fw_rtcp_t *p, unsigned i, uint16_t *seq16, uint16_t *mask);
/* FCI entry `i` of a FIR (RFC 5104 section 4.3.1); false past the last. */
bool fw_rtcp_fir(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc, uint8_t *command_seq);
/* A REMB message (draft-alvestrand-rmcat-remb-03); false where `p` is not one. Saturates at UINT64_MAX. */
bool fw_rtcp_remb(const fw_rtcp_t *p, uint64_t *bitrate_bps);
/* SSRC `i` of a BYE; false past the last that fits. */
bool fw_rtcp_bye(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc);

/* Appends packets of a compound into a buffer. A packet that does not fit is left out and `overflow` turns true. */
typedef struct {
    uint8_t *out;
    size_t cap;
    size_t len;
    bool overflow;
} fw_rtcp_writer_t;

static inline fw_rtcp_writer_t fw_rtcp_writer(uint8_t *out, size_t cap) {
    return (fw_rtcp_writer_t){.out = out, .cap = cap};
}
/* Starts any packet of `len` bytes, a multiple of 4: writes its 4-byte header and returns where it begins, or NULL
 * where it does not fit or `count` is over 31. The other bytes are the caller's to write. */
uint8_t *fw_rtcp_put(fw_rtcp_writer_t *w, uint8_t type, unsigned count, size_t len);
void fw_rtcp_put_sr(fw_rtcp_writer_t *w, const fw_sender_info_t *info);
void fw_rtcp_put_rr(fw_rtcp_writer_t *w, uint32_t sender_ssrc, const fw_report_block_t *blocks,
                     unsigned count); /* <= 31 */
/* One chunk per SSRC with the same CNAME of 1-255 bytes; at most 31 SSRCs. */
void fw_rtcp_put_sdes(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count, const char *cname, size_t cname_len);
void fw_rtcp_put_bye(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count);
/* A generic NACK of `count` ascending (modulo 2^16) sequence numbers, packed into as few FCI entries as they allow. */
void fw_rtcp_put_nack(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs,
                      unsigned count);
void fw_rtcp_put_pli(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc);
void fw_rtcp_put_fir(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command_seq);
void fw_rtcp_put_remb(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs,
                      unsigned count);

#endif
