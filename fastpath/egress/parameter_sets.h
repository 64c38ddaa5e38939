/* Sends a consumer the parameter sets of its encoding before a picture that came without them. */
#ifndef FW_EGRESS_PARAMETER_SETS_H
#define FW_EGRESS_PARAMETER_SETS_H

#include "rewrite.h"

/* Gives the parameter sets of the packet's encoding the next number of the consumer, in an epoch of their own. Called before the
 * consumer switches to that packet. False where the packet needs none or none are known. */
bool fw_parameter_sets_reserve(fw_consumer_t *c, const fw_packet_t *packet);

/* After the switch to that packet: sets the timestamp of the reserved ones to the packet's, and fills in how they are mapped. */
void fw_parameter_sets_map(fw_consumer_t *c, const fw_packet_t *packet, fw_rewrite_t *how);

/* Like fw_rewrite, for the parameter sets that how->epoch was reserved for. False where they have changed since. */
bool fw_parameter_sets_rewrite(const fw_consumer_t *c, const fw_rewrite_t *how, fw_srtp_job_t *job);

#endif
