/* What one consumer takes of its producer's packets, and how what it takes is mapped onto the one stream it sends. */
#ifndef FW_FORWARD_SELECTION_H
#define FW_FORWARD_SELECTION_H

#include "rewrite.h"
#include "state.h"

/* Whether the packet goes to this consumer now; switches source or layers where the packet is where that is to happen.
 * What is left out leaves no gap in the numbers. */
bool fw_selection_wants(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet);

/* Whether the packet is one that was missing before a switch of source that is remembered: it goes out under the number
 * that is free for it, as it would have gone then. Fills in how it is mapped. */
bool fw_selection_belated(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how);

/* The packet went out, or was left out below the next number: a switch later goes on from the highest. */
void fw_selection_sent(fw_consumer_t *c, const fw_packet_t *packet, const fw_rewrite_t *how);

/* How the run of a source with that number was mapped. */
static inline fw_epoch_t *fw_consumer_epoch(fw_consumer_t *c, uint32_t number) { return &c->epochs[number % FW_EPOCHS]; }

#endif
