/* The sink for another worker: a copy of each packet and sender report of a producer, in the clear, to every worker that has
 * a copy of the producer.
 *
 * The receiving worker takes the records in by ingress/relayed.h and rewrites them for its own consumers.
 */
#ifndef FW_EGRESS_RELAY_H
#define FW_EGRESS_RELAY_H

#include "../state/core.h"

/* Relays the packets that were received since the last call, of every producer in the batch. */
void fw_relay_flush(fw_core_t *core);

/* The same for one producer. */
void fw_relay_producer(fw_core_t *core, fw_producer_t *p);

/* Relays the clock of an encoding as a sender report, behind the packets received before it. */
void fw_relay_report(fw_core_t *core, const fw_encoding_t *e);

/* Relays to a new copy the clock of each encoding, and its cached packets since the newest keyframe where that is
 * younger than instant_join_us: at most 2048 packets of an encoding. */
void fw_relay_history(fw_core_t *core, fw_producer_t *p, const fw_relay_target_t *target);

#endif
