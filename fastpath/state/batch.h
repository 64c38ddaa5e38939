/* The batch: the media packets received since the last flush, listed by producer.
 *
 * ingress/ adds packets, core/ reads the deadline, egress/ sends the packets. A pool slot is not reused while its packet is in the
 * batch.
 */
#ifndef FW_STATE_BATCH_H
#define FW_STATE_BATCH_H

#include "../state/core.h"

/* Appends a packet to the batch of its producer. */
void fw_batch_add(fw_core_t *core, fw_producer_t *p, fw_packet_t *packet);

/* Whether a cached packet is in the batch. */
static inline bool fw_batch_holds(const fw_core_t *core, const fw_packet_t *packet) {
    return core->touched != NULL && packet->number >= core->batch_number;
}

/* Whether the pool has a slot outside the batch. Counts drop_pool_full where it has none. */
bool fw_batch_has_room(fw_core_t *core);

/* Deadline of the batch: min(coalesce_us, duration of the last flush) after the arrival of its first packet, or that arrival itself
 * once the batch spans 256 pool slots. UINT64_MAX for an empty batch. */
uint64_t fw_batch_due_us(const fw_core_t *core);

/* Removes the packets of a producer from the batch, before the producer is freed. */
void fw_batch_remove(fw_core_t *core, fw_producer_t *p);

/* Empties the batch. */
void fw_batch_clear(fw_core_t *core);

#endif
