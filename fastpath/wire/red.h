/* Redundant audio (RFC 2198): where its block headers end and its blocks lie. */
#ifndef FW_WIRE_RED_H
#define FW_WIRE_RED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint16_t headers_len;    /* bytes of all block headers */
    uint16_t primary_offset; /* where the newest block, which is the last, begins */
    uint8_t primary_pt;
} fw_red_t;

#define FW_RED_MAX_HEADERS_BYTES 64

/* False where headers or blocks overrun the payload, or the headers take more than FW_RED_MAX_HEADERS_BYTES. */
bool fw_red_parse(const uint8_t *payload, size_t len, fw_red_t *out);

#endif
