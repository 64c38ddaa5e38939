/* Keeps the newest parameter sets of each H.264 or H.265 encoding as a packet that consumers get before they start. */
#ifndef FW_INGRESS_PARAMETER_SETS_H
#define FW_INGRESS_PARAMETER_SETS_H

#include "../state/core.h"

/* Takes the parameter sets of a received packet, unless a newer packet has brought some. Without memory none are kept. */
void fw_parameter_sets_note(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet);

/* Takes those that the home worker relays to a new copy: an aggregation packet. */
void fw_parameter_sets_relayed(fw_core_t *core, const fw_relay_head_t *head, const uint8_t *payload, size_t len);

#endif
