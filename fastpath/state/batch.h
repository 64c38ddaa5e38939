/* The media that was received since the last flush, by producer.
 *
 * core/ asks for the deadline of the batch, egress/ sends it. Slots of the pool that are in the batch are never reused.
 */
#ifndef FW_STATE_BATCH_H
#define FW_STATE_BATCH_H

#include "../state/core.h"

/* Appends a packet to the batch of its producer. */
void fw_batch_add(fw_core_t *core, fw_producer_t *p, fw_packet_t *packet);

/* Whether the pool has a slot that is not in the batch; where it has none, counts drop_pool_full. */
bool fw_batch_has_room(fw_core_t *core);

/* When the batch is to be sent: min(coalesce_us, duration of the last flush) after its first packet came, or at once where
 * it holds 256 packets. UINT64_MAX where it is empty. */
uint64_t fw_batch_due_us(const fw_core_t *core);

/* Takes the packets of a producer that is about to be freed out of the batch. */
void fw_batch_remove(fw_core_t *core, fw_producer_t *p);

/* Empties the batch. */
void fw_batch_clear(fw_core_t *core);

#endif
