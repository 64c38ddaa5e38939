/* The VP9 payload descriptor (RFC 9628 section 4.2). */
#ifndef FW_WIRE_VP9_H
#define FW_WIRE_VP9_H

#include "frame.h"

/* False where the payload cannot hold its descriptor. Sets every field of `out`; size is that of the largest spatial
 * layer of the scalability structure, where one is present. keyframe: not inter-picture predicted, start of frame, and
 * spatial layer 0. */
bool fw_vp9_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
