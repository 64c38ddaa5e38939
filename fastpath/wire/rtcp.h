/* Reads and writes RTCP packets: RFC 3550 section 6, feedback of RFC 4585 and RFC 5104, and REMB. */
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
    const uint8_t *data; /* the packet, from its 4-byte header on */
    size_t len;          /* bytes, without padding */
    uint8_t type;
    uint8_t count; /* report count, source count or feedback message type: 5 bits */
} fw_rtcp_t;

/* Reads the next packet of a compound or reduced-size packet (RFC 5506). False at the end (`r->ok` is true) and where the packet is
 * malformed or overruns (`r->ok` is false). */
bool fw_rtcp_next(fw_reader_t *r, fw_rtcp_t *out);

typedef struct {
    uint32_t ssrc;
    uint64_t ntp; /* seconds, 32.32 fixed point */
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

/* Reads the sender info of an SR. False for another type, or where the packet is too short. */
bool fw_rtcp_sender_info(const fw_rtcp_t *p, fw_sender_info_t *out);
/* Reads report block `i` (0 <= i < count) of an SR or RR. False past the last complete block. */
bool fw_rtcp_report_block(const fw_rtcp_t *p, unsigned i, fw_report_block_t *out);
/* Reads the SSRC of the packet sender and of the media source (RFC 4585 section 6.1). False for another type, or where too short. */
bool fw_rtcp_feedback(const fw_rtcp_t *p, uint32_t *sender_ssrc, uint32_t *media_ssrc);
/* Reads FCI entry `i` of a generic NACK: PID, the first lost seq16, and BLP, the bitmask of the following 16. False past the last. */
bool fw_rtcp_nack(const fw_rtcp_t *p, unsigned i, uint16_t *seq16, uint16_t *mask);
/* Reads FCI entry `i` of a FIR (RFC 5104 section 4.3.1). False past the last. */
bool fw_rtcp_fir(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc, uint8_t *command_seq);
/* Reads a REMB message (draft-alvestrand-rmcat-remb-03). False where `p` is not one. The rate saturates at UINT64_MAX. */
bool fw_rtcp_remb(const fw_rtcp_t *p, uint64_t *bitrate_bps);
/* Reads SSRC `i` of a BYE. False past the last complete one. */
bool fw_rtcp_bye(const fw_rtcp_t *p, unsigned i, uint32_t *ssrc);

/* Appends packets to a compound in a buffer of `cap` bytes. A packet that does not fit is left out and sets `overflow`. */
typedef struct {
    uint8_t *out;
    size_t cap;
    size_t len;
    bool overflow;
} fw_rtcp_writer_t;

static inline fw_rtcp_writer_t fw_rtcp_writer(uint8_t *out, size_t cap) {
    return (fw_rtcp_writer_t){.out = out, .cap = cap};
}
/* Appends a packet of `len` bytes, a multiple of 4: writes its 4-byte header and returns its start; the caller writes the other bytes.
 * Returns NULL where it does not fit or `count` exceeds 31. */
uint8_t *fw_rtcp_put(fw_rtcp_writer_t *w, uint8_t type, unsigned count, size_t len);
void fw_rtcp_put_sr(fw_rtcp_writer_t *w, const fw_sender_info_t *info);
void fw_rtcp_put_rr(fw_rtcp_writer_t *w, uint32_t sender_ssrc, const fw_report_block_t *blocks,
                     unsigned count); /* <= 31 */
/* Writes one chunk for each SSRC, at most 31, all with the same CNAME of 1-255 bytes. */
void fw_rtcp_put_sdes(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count, const char *cname, size_t cname_len);
void fw_rtcp_put_bye(fw_rtcp_writer_t *w, const uint32_t *ssrcs, unsigned count);
/* Writes a generic NACK of `count` sequence numbers, ascending modulo 2^16, in as few FCI entries as possible. */
void fw_rtcp_put_nack(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs,
                      unsigned count);
void fw_rtcp_put_pli(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc);
void fw_rtcp_put_fir(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t command_seq);
void fw_rtcp_put_remb(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs,
                      unsigned count);

#endif
