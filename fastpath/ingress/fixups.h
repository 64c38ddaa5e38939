/* What frames say of each other is mended on the way in, where libwebrtc writes what leads its own decoder astray. */
#ifndef FW_INGRESS_FIXUPS_H
#define FW_INGRESS_FIXUPS_H

#include "../state/core.h"

/* When Chromium's encoder leaves out the higher spatial layers of a picture, no packet of that has the marker, and Chromium's
 * decoder never shows it. Whether this packet, just come and not read yet, may be the last of such a picture: the next one tells. */
bool fw_fixups_awaits_next(const fw_encoding_t *e, const fw_packet_t *packet);

/* Sets the marker of such a packet where `next`, of a later number, shows that it is missing, or where none has come (NULL). */
void fw_fixups_marker(const fw_encoding_t *e, fw_packet_t *packet, const fw_packet_t *next);

/* Of a packet whose frame and layers are read: changes bytes of VP9's descriptor, and puts another dependency descriptor in the
 * place of its own, where these say less than is so, or something wrong. */
void fw_fixups_apply(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet);

#endif
