/* Parses the AV1 aggregation header (AV1 RTP specification section 4.4) and the OBU headers after it. */
#ifndef FW_WIRE_AV1_H
#define FW_WIRE_AV1_H

#include "frame.h"

/* Sets every field of `out`. False where the payload has fewer than 2 bytes or an OBU element overruns it.
 * keyframe: the N bit (first packet of a coded video sequence). start: Z is 0 and the first OBU begins a temporal unit or frame.
 * temporal and spatial: from an OBU extension header. width and height: max_frame_width and max_frame_height of a sequence header OBU
 * that is complete in the packet, else 0. */
bool fw_av1_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
