/* The sink of a WebRTC peer: each packet rewritten for its consumer, as SRTP into the outbox. */
#ifndef FW_EGRESS_WEBRTC_H
#define FW_EGRESS_WEBRTC_H

#include "../state/core.h"

extern const fw_sink_t fw_webrtc_sink;

#endif
