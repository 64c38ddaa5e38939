/* Reads and writes RTP header extension elements in the one-byte and two-byte forms (RFC 8285). */
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
    bool known; /* false where ext_profile is neither form: the reader yields no element */
} fw_ext_reader_t;

/* Starts reading the extension of a packet that fw_rtp_parse_header has accepted. */
fw_ext_reader_t fw_ext_reader(const uint8_t *packet, const fw_rtp_t *rtp);

/* Reads the next element. False at the end, at an element that overruns the block, and in the one-byte form at id 15 or at id 0 with
 * a length. */
bool fw_ext_next(fw_ext_reader_t *r, fw_ext_t *out);

typedef struct {
    uint8_t *start; /* the first of the 4 bytes of profile and length */
    size_t len;     /* bytes written so far, including those 4 */
    size_t cap;
    bool two_byte;
} fw_ext_writer_t;

/* Starts an extension block of at most `cap` bytes at `out`. */
void fw_ext_begin(fw_ext_writer_t *w, uint8_t *out, size_t cap, bool two_byte);

/* Appends an element and returns the address of its `len` bytes, which the caller writes. Returns NULL and writes nothing where the
 * id or length does not fit the form (one-byte: id 1-14, len 1-16) or the element does not fit in `cap`. */
uint8_t *fw_ext_put(fw_ext_writer_t *w, uint8_t id, uint8_t len);

/* Pads the block to 32 bits and writes profile and length. Returns the block's length in bytes, 0 where it has no element. */
size_t fw_ext_end(fw_ext_writer_t *w);

#endif
