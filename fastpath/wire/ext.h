/* RTP header extension elements, one- and two-byte forms (RFC 8285). */
#ifndef FW_WIRE_EXT_H
#define FW_WIRE_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "rtp.h"

typedef struct {
    const uint8_t *data; /* `len` bytes; not NULL even where len is 0 */
    uint8_t id;          /* 1-14 in the one-byte form, 1-255 in the two-byte form */
    uint8_t len;         /* 1-16, or 0-255 */
} fw_ext_t;

typedef struct {
    fw_reader_t reader;
    bool two_byte;
    bool known; /* false for a profile that is neither form: no elements */
} fw_ext_reader_t;

/* Reads the extension of a packet whose header fw_rtp_parse_header has accepted. */
fw_ext_reader_t fw_ext_reader(const uint8_t *packet, const fw_rtp_t *rtp);

/* The next element; false at the end, at an element that overruns, or in the one-byte form at id 15 or id 0 with a
 * length. */
bool fw_ext_next(fw_ext_reader_t *r, fw_ext_t *out);

typedef struct {
    uint8_t *start; /* where the 4 bytes of profile and length go */
    size_t len;     /* bytes written so far, those 4 included */
    size_t cap;
    bool two_byte;
} fw_ext_writer_t;

/* Starts an extension block at `out`. */
void fw_ext_begin(fw_ext_writer_t *w, uint8_t *out, size_t cap, bool two_byte);

/* Appends an element and returns where its `len` bytes go, or NULL (nothing written) where the id or length does not
 * fit the form (one-byte: id 1-14, len 1-16) or the room is used up. */
uint8_t *fw_ext_put(fw_ext_writer_t *w, uint8_t id, uint8_t len);

/* Pads to 32 bits, writes profile and length, returns the bytes of the block: 0 where no element was put. */
size_t fw_ext_end(fw_ext_writer_t *w);

#endif
