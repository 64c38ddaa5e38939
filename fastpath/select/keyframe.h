/* Requests for keyframes, from the publisher or from the home worker. */
#ifndef FW_SELECT_KEYFRAME_H
#define FW_SELECT_KEYFRAME_H

#include "../state/core.h"

/* Requests keyframes of these encodings (a bit each), with the spacing of stream/keyframes.h. */
void fw_keyframe_want(fw_core_t *core, fw_producer_t *p, uint8_t encodings);

/* Requests a keyframe of an encoding that cannot be decoded without, unless one is requested already. */
void fw_keyframe_lacks(fw_core_t *core, fw_producer_t *p, uint8_t encoding);

#endif
