/* Reads and writes STUN Binding requests and responses (RFC 8489) with the attributes of ICE (RFC 8445).
 *
 * The caller computes MESSAGE-INTEGRITY: the parser returns the bytes that it covers, the writer leaves room for it.
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
#define FW_STUN_REQUEST_OVERHEAD_BYTES 80 /* of a request, without its username and the username's padding */

typedef enum {
    FW_STUN_OK,
    FW_STUN_MALFORMED,      /* invalid length, magic cookie, or attribute */
    FW_STUN_NO_FINGERPRINT, /* the last attribute is not FINGERPRINT (required by RFC 8445 section 7.1.2) */
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
    uint64_t tie_breaker;  /* of ICE-CONTROLLING or ICE-CONTROLLED */
    uint16_t error_code;   /* 300-699 of ERROR-CODE, else 0 */
    uint16_t unknown_type; /* type of the first unknown comprehension-required attribute (error 420), else 0 */
} fw_stun_t;

/* Parses a message of `len` bytes; pointers in `out` point into `data`. Verifies FINGERPRINT. Ignores every other attribute after
 * MESSAGE-INTEGRITY (RFC 8489 section 14.5). */
fw_stun_status_t fw_stun_parse(const uint8_t *data, size_t len, fw_stun_t *out);

/* Writes to `patched` (20 bytes) the header that the HMAC covers: its length field counts up to the end of MESSAGE-INTEGRITY
 * (RFC 8489 section 14.5). The HMAC is over these 20 bytes, then data[20, covered_len). */
void fw_stun_covered_header(const uint8_t *data, const fw_stun_t *stun, uint8_t *patched);

/* The ICE attributes of a connectivity check that this server sends (RFC 8445 section 7.2.2). */
typedef struct {
    const char *username; /* the peer's ufrag, a colon, and the local ufrag: at most 513 bytes */
    size_t username_len;
    uint64_t tie_breaker;
    uint32_t priority;  /* of the peer-reflexive candidate that the peer may learn from the check */
    bool controlling;   /* the controlling agent also sends USE-CANDIDATE */
} fw_stun_check_t;

/* Writes a Binding request up to and including the header of MESSAGE-INTEGRITY. Returns n as fw_stun_begin_success does. */
size_t fw_stun_begin_request(uint8_t *out, const uint8_t *transaction, const fw_stun_check_t *check);

/* Writes a Binding success response with XOR-MAPPED-ADDRESS, up to and including the header of MESSAGE-INTEGRITY. `ip` has 16 bytes
 * where `ipv6` is true, else 4; `port` is in host byte order. Returns n, the offset of that header. The caller stores the HMAC over
 * out[0, n), 20 bytes, at out + n + 4, then calls fw_stun_finish. */
size_t fw_stun_begin_success(uint8_t *out, const uint8_t *transaction, bool ipv6, const uint8_t *ip, uint16_t port);

/* Does the same for an error response (RFC 8489 section 14.8) with `code` 300-699. An `unknown_type` other than 0 adds
 * UNKNOWN-ATTRIBUTES. */
size_t fw_stun_begin_error(uint8_t *out, const uint8_t *transaction, uint16_t code, uint16_t unknown_type);

/* Appends FINGERPRINT after the HMAC at out + n + 4. Returns the length of the message; a response has at most
 * FW_STUN_RESPONSE_MAX_BYTES. */
size_t fw_stun_finish(uint8_t *out, size_t n);

#endif
