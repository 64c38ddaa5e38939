/* Parses the VP8 payload descriptor (RFC 7741 section 4.2) and the keyframe header after it (RFC 6386 section 9.1). */
#ifndef FW_WIRE_VP8_H
#define FW_WIRE_VP8_H

#include "frame.h"

/* Sets every field of `out`. False where the descriptor overruns the payload. */
bool fw_vp8_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
