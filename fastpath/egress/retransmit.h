/* Retransmissions to a viewer: RTX (RFC 4588), or the same bytes again where RTX is not negotiated. */
#ifndef FW_EGRESS_RETRANSMIT_H
#define FW_EGRESS_RETRANSMIT_H

#include "../state/core.h"

/* Answers a NACK for one sequence number of the consumer's stream. Where it does not, counts the reason: nack_not_cached, nack_repeated
 * (within a round trip), nack_exhausted (retransmitted three times), nack_obsolete (older than the newest keyframe sent) or
 * nack_over_budget (over a fifth of the media that the transport was sent in the last second, and over 64 kbit/s). */
void fw_retransmit(fw_core_t *core, fw_consumer_t *c, uint16_t seq16);

#endif
