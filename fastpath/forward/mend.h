/* VP9 descriptors are mended on the way in, where libwebrtc writes what leads its own decoder astray. */
#ifndef FW_FORWARD_MEND_H
#define FW_FORWARD_MEND_H

#include "state.h"

/* Of a packet whose frame and layers are read: changes bytes of its payload where these say less than is so, or something wrong.
 * Does nothing where they are not VP9's. */
void fw_mend_vp9(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet);

#endif
