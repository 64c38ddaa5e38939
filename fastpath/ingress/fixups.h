/* Rewrites VP9 and AV1 descriptors on ingress where libwebrtc's encoder emits references or markers that its decoder mishandles. */
#ifndef FW_INGRESS_FIXUPS_H
#define FW_INGRESS_FIXUPS_H

#include "../state/core.h"

/* Returns whether this packet, received but not parsed yet, may end a VP9 picture although its marker bit is 0; only the next packet
 * decides. When Chromium's encoder drops the higher spatial layers of a picture, none of the picture's packets has the marker, and
 * Chromium's decoder never shows it. */
bool fw_fixups_awaits_next(const fw_encoding_t *e, const fw_packet_t *packet);

/* Sets the marker of such a packet where `next`, a later packet, shows that the picture has ended, or where `next` is NULL (none
 * came). */
void fw_fixups_marker(const fw_encoding_t *e, fw_packet_t *packet, const fw_packet_t *next);

/* Corrects the VP9 payload descriptor in place, and replaces the dependency descriptor, where their references are incomplete or
 * wrong. Takes a packet whose frame and layers have been read. */
void fw_fixups_apply(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet);

#endif
