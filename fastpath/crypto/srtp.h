/* Protects and unprotects the SRTP and SRTCP packets of one transport (RFC 3711, RFC 7714) with any cipher backend.
 *
 * Outbound, the caller keeps nonces unique: no two jobs of a context have the same SSRC and index but different bytes. Inbound,
 * each SSRC that authenticates costs state (144 bytes for RTP, 32 for RTCP), and the caller limits the number of SSRCs. A packet
 * changes no state and allocates no memory before it authenticates.
 */
#ifndef FW_CRYPTO_SRTP_H
#define FW_CRYPTO_SRTP_H

#include "backend.h"

#define FW_SRTP_MAX_KEY_BYTES 46      /* master key and master salt */
#define FW_SRTP_MAX_OVERHEAD_BYTES 16 /* bytes that protection adds to an RTP packet */
#define FW_SRTCP_MAX_OVERHEAD_BYTES 20
#define FW_SRTP_REPLAY_PACKETS 1024 /* replay window: a packet further behind the highest index is refused */
#define FW_SRTCP_REPLAY_PACKETS 128

typedef struct fw_srtp fw_srtp_t;

/* Creates a context for both directions. Each key is the master key followed by the master salt, with the profile's lengths. `crypto`
 * must outlive the context. NULL where the profile is unknown, memory is short, or the library fails. */
fw_srtp_t *fw_srtp_create(fw_crypto_t *crypto, fw_srtp_profile_t profile, const uint8_t *local_key,
                          const uint8_t *remote_key);
void fw_srtp_destroy(fw_srtp_t *srtp);

/* Returns the bytes that protection adds to an RTP packet of this context. */
size_t fw_srtp_overhead(const fw_srtp_t *srtp);

/* Returns the memory of the context in bytes, including its expanded key and its SSRCs, excluding allocations inside libcrypto. */
size_t fw_srtp_memory_bytes(const fw_srtp_t *srtp);

/* One packet to protect. out[0, header_len) holds the RTP header, out[header_len, header_len + prefix_len) the payload bytes specific
 * to this receiver. `body` is the rest of the payload: plaintext that many jobs share and that is never written. `padding` bytes of
 * RTP padding follow it; the caller sets the header's P bit. */
typedef struct {
    fw_srtp_t *srtp;
    uint8_t *out; /* has room for the packet and fw_srtp_overhead() bytes */
    const uint8_t *body;
    uint64_t index; /* the packet's extended sequence number (RFC 3711 section 3.3.1), below 2^48 */
    uint16_t header_len;
    uint16_t prefix_len;
    uint16_t body_len;
    uint8_t padding;
    uint8_t overhead; /* fw_srtp_overhead() of `srtp` */
    uint16_t out_len; /* result: length of the SRTP packet in bytes, 0 where protection failed */
} fw_srtp_job_t;

/* Returns the length of a job's SRTP packet in bytes. */
static inline size_t fw_srtp_job_len(const fw_srtp_job_t *job) {
    return (size_t)job->header_len + job->prefix_len + job->body_len + job->padding + job->overhead;
}

/* Prefetch the memory of this context that fw_srtp_protect, or fw_srtp_unprotect_rtcp, reads. */
void fw_srtp_fetch(const fw_srtp_t *srtp);
void fw_srtp_fetch_rtcp(const fw_srtp_t *srtp);

/* Protects many packets, of any mix of one thread's contexts. AES-CM packets are protected 16 at a time: the more packets in one
 * call, the less CPU time for each. */
void fw_srtp_protect(fw_srtp_job_t *jobs, size_t count);

/* REPLAYED: received before, or older than the replay window. FORGED: wrong tag. FAILED: too short or malformed, or the library
 * failed. */
typedef enum { FW_SRTP_OK, FW_SRTP_REPLAYED, FW_SRTP_FORGED, FW_SRTP_FAILED } fw_srtp_status_t;

/* Authenticates and decrypts a packet in place, and sets *len to the length of the plaintext. Unless the result is OK, the packet's
 * bytes are undefined. */
fw_srtp_status_t fw_srtp_unprotect(fw_srtp_t *srtp, uint8_t *packet, size_t *len);
fw_srtp_status_t fw_srtp_unprotect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t *len);

/* Protects a compound packet in place; the buffer must have FW_SRTCP_MAX_OVERHEAD_BYTES of room after `len`. Returns the new length in
 * bytes, 0 where it fails. */
size_t fw_srtp_protect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t len);

#endif
