/* What a producer's own worker hands to the workers that have copies of it: packets and sender reports as they come, and to
 * a new copy those that newcomers there can start with. */
#ifndef FW_FORWARD_HANDOVER_H
#define FW_FORWARD_HANDOVER_H

#include "state.h"

/* A packet that has just come, to all copies. */
void fw_handover_packet(fw_core_t *core, fw_producer_t *p, const fw_packet_t *packet);

/* The newest sender report of an encoding, to all copies. */
void fw_handover_report(fw_core_t *core, const fw_encoding_t *e);

/* What the cache has since the newest keyframe of each encoding, as far as that is young enough to start at. */
void fw_handover_history(fw_core_t *core, fw_producer_t *p, const fw_target_t *target);

#endif
