/* The spatial and temporal layers that a consumer may get of an encoding. */
#ifndef FW_SELECT_LAYERS_H
#define FW_SELECT_LAYERS_H

#include "../state/core.h"

/* The highest layers that a consumer may get: those it wants, but spatial layer 0 alone where only a dependency descriptor tells
 * layers apart and it has not negotiated that; of layers that do not refer to each other, one that is sent. */
fw_layers_t fw_layers_limit(const fw_consumer_t *c, const fw_encoding_t *e);

/* Whether layers are missing that only a keyframe brings: spatial layers, temporal layers of H.264 with prefix NAL units, or a
 * lower one of spatial layers that do not refer to each other. */
bool fw_layers_lacking(const fw_consumer_t *c);

#endif
