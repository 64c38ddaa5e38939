/* STUN binding requests and responses read and written (RFC 8489), with the attributes that ICE adds (RFC 8445).
 *
 * The message integrity is computed by the caller: parsing says which bytes it covers, writing leaves room for it.
 */
#ifndef FW_WIRE_STUN_H
#define FW_WIRE_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_STUN_BINDING_REQUEST 0x0001
#define FW_STUN_BINDING_INDICATION 0x0011
#define FW_STUN_BINDING_SUCCESS 0x0101
#define FW_STUN_BINDING_ERROR 0x0111
#define FW_STUN_HEADER_BYTES 20
#define FW_STUN_INTEGRITY_BYTES 20
#define FW_STUN_TRANSACTION_BYTES 12
#define FW_STUN_RESPONSE_MAX_BYTES 128
#define FW_STUN_REQUEST_OVERHEAD_BYTES 80 /* of a request, beside its username and the padding of that */

typedef enum {
    FW_STUN_OK,
    FW_STUN_MALFORMED,      /* lengths, magic cookie or an attribute's size are wrong */
    FW_STUN_NO_FINGERPRINT, /* no FINGERPRINT as the last attribute (RFC 8445 section 7.1.2 asks for it) */
    FW_STUN_BAD_FINGERPRINT,
} fw_stun_status_t;

typedef struct {
    uint16_t type;
    const uint8_t *transaction; /* 12 bytes */
    const uint8_t *username;    /* NULL where absent */
    size_t username_len;
    const uint8_t *integrity; /* 20 bytes of MESSAGE-INTEGRITY, NULL where absent */
    size_t covered_len;       /* bytes from the start of the message that the integrity covers */
    bool use_candidate;
    bool controlling;      /* the peer sent ICE-CONTROLLING */
    bool controlled;       /* the peer sent ICE-CONTROLLED */
    uint64_t tie_breaker;  /* that came with its role */
    uint16_t error_code;   /* 300-699 of ERROR-CODE, else 0 */
    uint16_t unknown_type; /* the first comprehension-required attribute that is unknown (420), else 0 */
} fw_stun_t;

/* Reads `len` bytes; pointers in `out` point into `data`. Attributes after MESSAGE-INTEGRITY other than FINGERPRINT
 * are ignored (RFC 8489 section 14.5). The fingerprint is verified here. */
fw_stun_status_t fw_stun_parse(const uint8_t *data, size_t len, fw_stun_t *out);

/* Writes into `patched` (20 bytes) the message header as the integrity saw it: its length field ends at the
 * MESSAGE-INTEGRITY attribute (RFC 8489 section 14.5). The HMAC is over these 20 bytes, then data[20, covered_len). */
void fw_stun_covered_header(const uint8_t *data, const fw_stun_t *stun, uint8_t *patched);

/* What a connectivity check says of its sender (RFC 8445 section 7.2.2). */
typedef struct {
    const char *username; /* the peer's ufrag, a colon, and our own: at most 513 bytes */
    size_t username_len;
    uint64_t tie_breaker;
    uint32_t priority;  /* of the candidate that the peer would learn from the check */
    bool controlling;   /* and so nominates: USE-CANDIDATE */
} fw_stun_check_t;

/* Writes a binding request up to and with the header of MESSAGE-INTEGRITY; to be ended as fw_stun_begin_success says. */
size_t fw_stun_begin_request(uint8_t *out, const uint8_t *transaction, const fw_stun_check_t *check);

/* Writes a binding success response with XOR-MAPPED-ADDRESS up to and with the header of MESSAGE-INTEGRITY.
 * `ip` holds 4 or 16 bytes as `ipv6` says, `port` is in host order. Returns n, the bytes that the HMAC covers, at which
 * that attribute's 4-byte header stands: HMAC over out[0, n), store 20 bytes at out + n + 4, then fw_stun_finish. */
size_t fw_stun_begin_success(uint8_t *out, const uint8_t *transaction, bool ipv6, const uint8_t *ip, uint16_t port);

/* The same for an error response (RFC 8489 section 14.8) with `code` 300-699; `unknown_type` other than 0 adds
 * UNKNOWN-ATTRIBUTES. */
size_t fw_stun_begin_error(uint8_t *out, const uint8_t *transaction, uint16_t code, uint16_t unknown_type);

/* Appends FINGERPRINT after the integrity stored at out + n + 4 and returns the whole length, at most
 * FW_STUN_RESPONSE_MAX_BYTES of a response. */
size_t fw_stun_finish(uint8_t *out, size_t n);

#endif
