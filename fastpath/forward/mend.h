/* VP9 descriptors are mended on the way in, where libwebrtc writes what leads its own decoder astray. */
#ifndef FW_FORWARD_MEND_H
#define FW_FORWARD_MEND_H

#include "state.h"

/* When Chromium's encoder leaves out the higher spatial layers of a picture, no packet of that has the marker, and Chromium's
 * decoder never shows it. Whether this packet, just come and not read yet, may be the last of such a picture: the next one tells. */
bool fw_mend_awaits_next(const fw_encoding_t *e, const fw_packet_t *packet);

/* Sets the marker of such a packet where `next`, of a later number, shows that it is missing, or where none has come (NULL). */
void fw_mend_marker(const fw_encoding_t *e, fw_packet_t *packet, const fw_packet_t *next);

/* Of a packet whose frame and layers are read: changes bytes where these say less than is so, or something wrong. Does nothing
 * where they are not VP9's. */
void fw_mend_vp9(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet);

#endif
