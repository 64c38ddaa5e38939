/* Which packets of its producer one consumer gets: forward, drop, or switch to another encoding or layer. */
#ifndef FW_EGRESS_SWITCH_H
#define FW_EGRESS_SWITCH_H

#include "rewrite.h"

/* Whether the packet goes to this consumer now; switches source or layers where the packet is where that is to happen.
 * What is left out leaves no gap in the numbers. */
bool fw_switch_wants(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* Whether the packet is one that was missing before a switch of source that is remembered: it goes out under the number
 * that is free for it, as it would have gone then. Fills in how it is mapped. */
bool fw_switch_find_late(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how);

/* The packet went out, or was left out below the next number: a switch later goes on from the highest. */
void fw_switch_note_sent(fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how);

#endif
