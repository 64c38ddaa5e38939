/* Parses H.265 payloads (RFC 7798: single NAL units, aggregation packets, fragmentation units): start of an IRAP picture. */
#ifndef FW_WIRE_H265_H
#define FW_WIRE_H265_H

#include "frame.h"

/* Sets every field of `out`. False where the payload has fewer than 2 bytes or an aggregated NAL unit overruns it.
 * keyframe: the packet holds a VPS or SPS, or the start of the first IRAP slice of a picture. start: as for H.264.
 * temporal: nuh_temporal_id_plus1 - 1. width and height are always 0. */
bool fw_h265_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
