/* H.264 payload structures (RFC 6184): single NAL units, STAP-A, FU-A; where an IDR or its SPS begins, its size, and what
 * of its temporal layer a packet tells: see stream/nals.h. */
#ifndef FW_WIRE_H264_H
#define FW_WIRE_H264_H

#include "frame.h"

/* False where the payload is empty or its aggregation overruns. keyframe: the packet holds an SPS, or the start of the
 * first IDR slice of a picture. start: the packet begins with parameter sets, SEI, a delimiter a prefix NAL unit or the first slice
 * of a picture, so one frame may show it on several packets of one timestamp. Width and height from a whole SPS of any
 * profile, cropping applied. */
bool fw_h264_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
