/* Decides for each packet of its producer whether a consumer gets it, and switches encodings and layers. */
#ifndef FW_EGRESS_SWITCH_H
#define FW_EGRESS_SWITCH_H

#include "rewrite.h"

/* Whether the packet is forwarded to the consumer. Switches the encoding or the layers where the packet is the point to do so. Packets
 * that are not forwarded leave no gap in the sequence numbers. */
bool fw_switch_wants(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* Whether the packet was missing before a switch that is still remembered. It is then sent under the number reserved for it, with the
 * mapping of that time, which is filled in. */
bool fw_switch_find_late(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how);

/* Notes that the packet was sent, or left out with `how->seq64` as the highest number: a later switch continues from the highest. */
void fw_switch_note_sent(fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how);

#endif
