/* Reads a packet's frame and layers from the codec's payload header and the dependency descriptor. */
#ifndef FW_INGRESS_FRAME_H
#define FW_INGRESS_FRAME_H

#include "../state/core.h"

/* Fills packet->frame from the payload header. False where the payload is malformed. */
bool fw_frame_read(fw_codec_t codec, fw_packet_t *packet);

/* Adds the layers that the payload header does not carry: from the dependency descriptor, or from H.264's prefix NAL units. */
void fw_frame_read_layers(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet);

#endif
