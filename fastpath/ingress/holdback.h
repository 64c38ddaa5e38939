/* Holds back the newest VP9 packet where only the next one tells whether it ends its picture.
 */
#ifndef FW_INGRESS_HOLDBACK_H
#define FW_INGRESS_HOLDBACK_H

#include "../state/core.h"

/* Holds the packet back, as a copy. False where there is no need, or no memory. */
bool fw_holdback_keep(fw_encoding_t *e, const fw_packet_t *packet);

/* Stores the packet that was held back, where this one has a later number. Returns where this one is now; NULL, and counted,
 * where the pool has no room for both. */
fw_packet_t *fw_holdback_release(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet);

/* When the packet that is held back is stored even if no other comes: 200 ms after it came. UINT64_MAX where there is none. */
uint64_t fw_holdback_next_us(const fw_encoding_t *e);

/* Stores it if that is due. */
void fw_holdback_tick(fw_core_t *core, fw_encoding_t *e);

#endif
