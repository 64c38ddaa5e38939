/* Parses the block headers of redundant audio (RFC 2198). */
#ifndef FW_WIRE_RED_H
#define FW_WIRE_RED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint16_t headers_len;    /* total length of the block headers, in bytes */
    uint16_t primary_offset; /* start of the primary block, the last one, in bytes from the start of the payload */
    uint8_t primary_pt;
} fw_red_t;

#define FW_RED_MAX_HEADERS_BYTES 64

/* False where headers or blocks overrun the payload, or the headers exceed FW_RED_MAX_HEADERS_BYTES. */
bool fw_red_parse(const uint8_t *payload, size_t len, fw_red_t *out);

#endif
