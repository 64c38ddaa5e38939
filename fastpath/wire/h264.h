/* Parses H.264 payloads (RFC 6184: single NAL units, STAP-A, FU-A): start of an IDR picture or SPS, picture size, and the packet's
 * part of the temporal layer, which stream/h264_layers.h completes. */
#ifndef FW_WIRE_H264_H
#define FW_WIRE_H264_H

#include "frame.h"

/* Sets every field of `out`. False where the payload is empty or an aggregated NAL unit overruns it. keyframe: the packet holds an
 * SPS, or the start of the first IDR slice of a picture. start: the packet begins with a parameter set, SEI, access unit delimiter,
 * prefix NAL unit, or the first slice of a picture; several packets of one timestamp may have it. width and height: of an SPS that is
 * complete in the packet, after cropping, in pixels; else 0. */
bool fw_h264_parse(const uint8_t *payload, size_t len, fw_frame_t *out);

#endif
