/* Keeps the newest parameter sets of each H.264 or H.265 encoding as one aggregation packet, which consumers receive before they
 * start. */
#ifndef FW_INGRESS_PARAMETER_SETS_H
#define FW_INGRESS_PARAMETER_SETS_H

#include "../state/core.h"

/* Keeps the parameter sets of a received packet. Ignores those over 64 packets older than the newest sets; keeps none where memory is
 * short. */
void fw_parameter_sets_note(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet);

/* Keeps the parameter sets that the home worker relays to a new copy, in an aggregation packet. Counts drop_relay_stale for an unknown
 * producer, encoding or codec. */
void fw_parameter_sets_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *payload, size_t len);

#endif
