/* Retransmissions for a viewer: RTX, or the same bytes again where RTX is not negotiated. */
#ifndef FW_EGRESS_RETRANSMIT_H
#define FW_EGRESS_RETRANSMIT_H

#include "../state/core.h"

/* Answers a NACK for one sequence number of the consumer's stream. Counts why where it does not. */
void fw_retransmit(fw_core_t *core, fw_consumer_t *c, uint16_t seq16);

#endif
