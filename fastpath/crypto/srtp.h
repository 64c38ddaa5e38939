/* SRTP and SRTCP for one transport (RFC 3711, RFC 7714), over the ciphers of any backend.
 *
 * Outbound, the caller owns the nonce: it never gives two jobs of one context the same SSRC and index with different
 * bytes. Inbound, each SSRC that authenticates costs state (144 bytes for RTP, 32 for RTCP): the caller
 * bounds how many it lets through. No byte of a packet is believed, nor memory taken, before it authenticates.
 */
#ifndef FW_CRYPTO_SRTP_H
#define FW_CRYPTO_SRTP_H

#include "backend.h"

#define FW_SRTP_MAX_KEY_BYTES 46      /* master key and master salt */
#define FW_SRTP_MAX_OVERHEAD_BYTES 16 /* what protection adds to an RTP packet */
#define FW_SRTCP_MAX_OVERHEAD_BYTES 20
#define FW_SRTP_REPLAY_PACKETS 1024 /* late packets and repairs this far behind the newest are taken */
#define FW_SRTCP_REPLAY_PACKETS 128

typedef struct fw_srtp fw_srtp_t;

/* A context for both directions; keys are master key then master salt, as long as the profile asks. `crypto` outlives
 * it. NULL where the profile is unknown or the library refuses. */
fw_srtp_t *fw_srtp_create(fw_crypto_t *crypto, fw_srtp_profile_t profile, const uint8_t *local_key,
                          const uint8_t *remote_key);
void fw_srtp_destroy(fw_srtp_t *srtp);

/* Bytes that protection adds to an RTP packet of this context. */
size_t fw_srtp_overhead(const fw_srtp_t *srtp);

/* Bytes of memory that the context has taken, its expanded key and what it remembers of SSRCs included; not what
 * libcrypto takes for itself. */
size_t fw_srtp_memory_bytes(const fw_srtp_t *srtp);

/* One packet to protect: out[0, header_len) holds the RTP header, out[header_len, header_len + prefix_len) the payload
 * bytes that are this receiver's own; `body` is plaintext shared by many jobs and never written; then come `padding`
 * bytes of RTP padding (the header's P bit is the caller's). */
typedef struct {
    fw_srtp_t *srtp;
    uint8_t *out; /* room for everything and fw_srtp_overhead() */
    const uint8_t *body;
    uint64_t index; /* the packet's extended sequence number (RFC 3711 section 3.3.1), below 2^48 */
    uint16_t header_len;
    uint16_t prefix_len;
    uint16_t body_len;
    uint8_t padding;
    uint8_t overhead; /* fw_srtp_overhead() of `srtp` */
    uint16_t out_len; /* the result: bytes of the SRTP packet, 0 where it could not be protected */
} fw_srtp_job_t;

/* Bytes that a job's packet will have. */
static inline size_t fw_srtp_job_len(const fw_srtp_job_t *job) {
    return (size_t)job->header_len + job->prefix_len + job->body_len + job->padding + job->overhead;
}

/* Ask for the memory that fw_srtp_protect, or fw_srtp_unprotect_rtcp, will need of this context. */
void fw_srtp_fetch(const fw_srtp_t *srtp);
void fw_srtp_fetch_rtcp(const fw_srtp_t *srtp);

/* Protects many packets, of any mix of contexts of one thread. AES-CM's HMAC is computed for many of them at once: the
 * more there are in one call, the less each costs. */
void fw_srtp_protect(fw_srtp_job_t *jobs, size_t count);

/* FAILED: too short, malformed, or the library failed. REPLAYED: seen before, or too old to tell. */
typedef enum { FW_SRTP_OK, FW_SRTP_REPLAYED, FW_SRTP_FORGED, FW_SRTP_FAILED } fw_srtp_status_t;

/* Authenticates and decrypts in place; *len becomes the plaintext's length. Unless it is OK the bytes are spoilt. */
fw_srtp_status_t fw_srtp_unprotect(fw_srtp_t *srtp, uint8_t *packet, size_t *len);
fw_srtp_status_t fw_srtp_unprotect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t *len);

/* Protects a compound in place; the buffer has FW_SRTCP_MAX_OVERHEAD_BYTES of room behind `len`. Returns the new
 * length, 0 where it fails. */
size_t fw_srtp_protect_rtcp(fw_srtp_t *srtp, uint8_t *packet, size_t len);

#endif
