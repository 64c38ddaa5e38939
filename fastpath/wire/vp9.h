/* Parses the VP9 payload descriptor (RFC 9628 section 4.2). */
#ifndef FW_WIRE_VP9_H
#define FW_WIRE_VP9_H

#include "frame.h"

/* Sets every field of `out`. False where the descriptor overruns the payload. width and height: of the largest spatial layer in the
 * scalability structure, 0 without one. keyframe: not inter-picture predicted, start of frame, and spatial layer 0. */
bool fw_vp9_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
