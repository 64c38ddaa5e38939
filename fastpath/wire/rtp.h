/* Reads and writes the RTP header (RFC 3550 section 5.1). */
#ifndef FW_WIRE_RTP_H
#define FW_WIRE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_RTP_HEADER_BYTES 12
#define FW_RTP_EXT_ONE_BYTE 0xBEDE /* RFC 8285 section 4.2 */
#define FW_RTP_EXT_TWO_BYTE 0x1000 /* RFC 8285 section 4.3; the low 4 bits (appbits) are ignored */

typedef struct {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t seq16;
    uint16_t ext_profile; /* 0 where the packet has no extension */
    uint16_t ext_offset;  /* offset of the first extension element, in bytes from the start of the packet */
    uint16_t ext_len;     /* bytes of extension elements, including padding */
    uint16_t header_len;  /* bytes of fixed header, CSRCs and extension: the offset of the payload */
    uint16_t payload_len; /* bytes without padding; set by fw_rtp_parse_body */
    uint8_t padding_len;  /* set by fw_rtp_parse_body */
    uint8_t payload_type;
    bool marker;
    bool has_padding; /* the P bit */
} fw_rtp_t;

/* Reads the header, which SRTP does not encrypt. False where the version is not 2, `len` exceeds 65535, or the header overruns. */
bool fw_rtp_parse_header(const uint8_t *packet, size_t len, fw_rtp_t *out);

/* Sets payload_len and padding_len from a decrypted packet. False where the P bit is set and the padding count is 0 or exceeds the
 * bytes after the header. */
bool fw_rtp_parse_body(const uint8_t *packet, size_t len, fw_rtp_t *rtp);

/* Writes the 12-byte fixed header with version 2, no CSRCs and the given flags. */
void fw_rtp_write(uint8_t *out, bool padding, bool extension, bool marker, uint8_t payload_type, uint16_t seq16,
                  uint32_t timestamp, uint32_t ssrc);

#endif
