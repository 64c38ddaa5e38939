/* H.265 payload structures (RFC 7798): single NAL units, aggregation and fragmentation units; where an IRAP begins. */
#ifndef FW_WIRE_H265_H
#define FW_WIRE_H265_H

#include "frame.h"

/* False where the payload is too short or its aggregation overruns. keyframe: the packet holds a VPS or SPS, or the
 * start of the first IRAP slice of a picture. start: as for H.264. temporal is nuh_temporal_id_plus1 - 1. Width and
 * height stay 0. */
bool fw_h265_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
