/* The AV1 aggregation header (AV1 RTP specification section 4.4) and the OBU headers behind it. */
#ifndef FW_WIRE_AV1_H
#define FW_WIRE_AV1_H

#include "frame.h"

/* False where the payload is empty or an OBU element overruns. keyframe: the N bit (first packet of a coded video
 * sequence). start: Z is 0 and the first OBU begins a temporal unit or frame. Layers from an OBU extension header.
 * Width and height from a sequence header OBU (max_frame_width/height) where one is complete in the packet. */
bool fw_av1_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
