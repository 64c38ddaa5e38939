/* The newest parameter sets of an H.264 or H.265 stream, as the payload of one aggregation packet (RFC 6184 section 5.7.1,
 * RFC 7798 section 4.4.2).
 *
 * Some cameras send them once, at the start. A decoder that starts later needs them before the first picture.
 */
#ifndef FW_STREAM_PARAMETER_SETS_H
#define FW_STREAM_PARAMETER_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_PARAMETER_SETS_BYTES 1100 /* of the payload: with its header and extensions it fits one packet */

typedef enum { FW_SETS_H264, FW_SETS_H265 } fw_sets_codec_t;

/* All zero to start with. */
typedef struct {
    uint32_t version; /* grows with each change */
    uint16_t len;
    uint8_t payload[FW_PARAMETER_SETS_BYTES];
} fw_parameter_sets_t;

/* Whether a payload may carry parameter sets: a cheap test before the others. */
static inline bool fw_parameter_sets_may(fw_sets_codec_t codec, const uint8_t *payload, size_t len) {
    if (len == 0) return false;
    unsigned type = codec == FW_SETS_H264 ? payload[0] & 0x1FU : payload[0] >> 1 & 0x3FU;
    return codec == FW_SETS_H264 ? type == 7 || type == 8 || type == 24 : (type >= 32 && type <= 34) || type == 48;
}

/* Takes the parameter sets of an RTP payload in place of those with the same type and id. Returns whether that changed
 * anything. Sets that do not fit beside the others are not taken; fragmented ones (FU) never are. */
bool fw_parameter_sets_take(fw_parameter_sets_t *s, fw_sets_codec_t codec, const uint8_t *payload, size_t len);

/* Whether a set of each type is there that a decoder needs. */
bool fw_parameter_sets_complete(const fw_parameter_sets_t *s, fw_sets_codec_t codec);

/* Forgets all. */
void fw_parameter_sets_clear(fw_parameter_sets_t *s);

#endif
